-- Opens a transaction that owns a row, in one packet.
-- In: what claim.sql takes, with hashes and numbers alone in it; {wait} in milliseconds.
-- Reply: nothing, in a transaction with the savepoint `idempotency_work`; or an error:
--     22012 the row is done, or somebody else's; 55P03 somebody's open transaction has the row; 40P01 a deadlock.
--     After an error run abandon.sql.
--
-- A division by zero ends the packet without a reply that anyone must read.
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT 1 / (1 - count(*)) FROM idempotency_keys
WHERE id = {id} AND status = 'COMPLETED' AND expires_at > clock_timestamp();
SELECT set_config('idempotency.lock_timeout', current_setting('lock_timeout'), true);
SELECT set_config('lock_timeout', '{wait}ms', true);
{claim};
SELECT 1 / count(*) FROM idempotency_keys WHERE id = {id} AND owner = {owner};
SELECT set_config('lock_timeout', current_setting('idempotency.lock_timeout'), true);
SAVEPOINT idempotency_work

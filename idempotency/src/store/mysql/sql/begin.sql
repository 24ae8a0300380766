-- Opens a transaction that owns a row, in one packet.
-- In: what claim.sql takes, with hashes and numbers alone in it; {wait} in seconds; {probe}: see probe.sql.
-- Reply: nothing, in a transaction with the savepoint `idempotency_work`; or an error:
--     1242 the row is done (no transaction is open), or somebody else's (one is),
--     1205 or 3572 somebody's open transaction has the row, 1213 a deadlock. After an error run abandon.sql.
--
-- A subquery with a second row is an error on both servers. It ends the packet without a reply that anyone must read,
-- and without any of the assignments beside it. Few statements, since the server sends each reply by itself.
SET @idempotency_done = (
        SELECT 1 FROM idempotency_keys WHERE id = {id} AND status = 'COMPLETED' AND expires_at > UTC_TIMESTAMP(3)
        UNION ALL SELECT 2
    ),
    @idempotency_lock_wait = @@SESSION.innodb_lock_wait_timeout, SESSION innodb_lock_wait_timeout = {wait};
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
START TRANSACTION;
{probe}
{claim};
SET @idempotency_lost = (
        SELECT 1 FROM idempotency_keys WHERE id = {id} AND owner <> {owner}
        UNION ALL SELECT 2
    ),
    SESSION innodb_lock_wait_timeout = @idempotency_lock_wait;
SAVEPOINT idempotency_work

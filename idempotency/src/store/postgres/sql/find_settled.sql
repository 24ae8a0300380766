-- Reads a row once no open transaction has it: the answer to "was it committed?".
-- In: what claim.sql takes, with hashes and numbers alone in it; {wait} in milliseconds.
-- Reply: what find.sql replies; or the error 55P03 if the row is still held.
--
-- No read waits for a row that is inserted and not committed, so this claims it and gives it back.
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT set_config('lock_timeout', '{wait}ms', true) AS ignored;
{claim};
ROLLBACK;
{find}

-- Reads a row once no open transaction has it: the answer to "was it committed?".
-- In: {id}, {wait} in seconds.
-- Reply: what find.sql replies; or the error 1205 if the row is still held.
SET @idempotency_lock_wait = @@SESSION.innodb_lock_wait_timeout, SESSION innodb_lock_wait_timeout = {wait};
{find} LOCK IN SHARE MODE;
SET SESSION innodb_lock_wait_timeout = @idempotency_lock_wait, @idempotency_lock_wait = NULL

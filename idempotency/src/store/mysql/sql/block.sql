-- Opens a transaction that owns a row which nobody has yet: begin.sql for a first attempt, as one statement, which
-- MariaDB alone knows.
-- In: what insert.sql takes; {wait} in seconds.
-- Reply: what begin.sql replies.
--
-- SET STATEMENT holds for its statement alone: the work waits as long as its session says.
BEGIN NOT ATOMIC
SET SESSION autocommit = 0;
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET STATEMENT innodb_lock_wait_timeout = {wait} FOR
{insert};
SAVEPOINT idempotency_work;
END

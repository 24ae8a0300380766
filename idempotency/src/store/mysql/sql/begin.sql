-- Opens a transaction that owns a row, in one packet.
-- In: what its parts take, with hashes and numbers alone in it: probe.sql where nothing is to be waited for, insert.sql
--     for a first attempt, done.sql, claim.sql and owned.sql once a row was found; {wait} in seconds.
-- Reply: nothing, in a transaction with the savepoint `idempotency_work`; or an error:
--     1690 the row is done (no transaction is open), or somebody else's (one is), 1062 there is a row,
--     1205 or 3572 somebody's open transaction has the row, 1213 a deadlock. After an error run abandon.sql.
--
-- A number that is too large is an error on both servers. It ends the packet without a reply that anyone must read. In a
-- SELECT, which waits for nobody: a subquery of SET would wait for an open transaction that has the row. Few statements,
-- and short ones: where they are not prepared, the server parses each and sends each reply by itself.
--
-- Autocommit is off rather than START TRANSACTION said: the server may undo the transaction to end a deadlock, and what
-- work that ignores the error does then is in a transaction that nobody commits.
{done}
SET @idempotency_lock_wait = @@SESSION.innodb_lock_wait_timeout, SESSION innodb_lock_wait_timeout = {wait},
    SESSION autocommit = 0;
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
{probe}
{claim};
{owned}
SET SESSION innodb_lock_wait_timeout = @idempotency_lock_wait, @idempotency_lock_wait = NULL;
SAVEPOINT idempotency_work

-- Ends what begin.sql has begun and reads the row that was in its way.
-- In: {id}.
-- Reply: the row, if there is one.
ROLLBACK;
SET SESSION innodb_lock_wait_timeout =
        CAST(COALESCE(@idempotency_lock_wait, @@SESSION.innodb_lock_wait_timeout) AS UNSIGNED),
    SESSION autocommit = 1, @idempotency_lock_wait = NULL;
{find}

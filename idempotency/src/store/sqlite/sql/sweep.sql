-- Deletes rows whose time is over. A SQLite database has one writer at a time, so this is one step.
-- In: ?1 grace in milliseconds, ?2 how many at most.
-- Reply: the number of rows deleted.
DELETE FROM idempotency_keys WHERE id IN (
    SELECT id FROM idempotency_keys
    WHERE expires_at < {now} - ?1 AND status IN ('COMPLETED', 'FAILED')
    ORDER BY expires_at
    LIMIT ?2
)

-- Deletes rows whose time is over, but for those that somebody is claiming or sweeping at this moment.
-- In: grace in microseconds, how many at most.
-- Reply: the number of rows deleted.
DELETE FROM idempotency_keys WHERE id IN (
    SELECT id FROM idempotency_keys
    WHERE expires_at < clock_timestamp() - $1::bigint * INTERVAL '1 microsecond'
      AND status IN ('COMPLETED', 'FAILED')
    ORDER BY expires_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)

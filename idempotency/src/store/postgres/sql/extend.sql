-- Moves the end of a lease.
-- In: lease in microseconds, id, owner, epoch.
-- Reply: one row changed, or none if the row is not theirs.
UPDATE idempotency_keys
SET locked_until = clock_timestamp() + $1::bigint * INTERVAL '1 microsecond', updated_at = clock_timestamp()
WHERE id = $2 AND owner = $3 AND epoch = $4 AND status = 'PROCESSING'

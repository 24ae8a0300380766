-- Moves the end of a lease.
-- In: lease in microseconds, id, owner, epoch.
-- Reply: one row matched, or none if the row is not theirs.
UPDATE idempotency_keys
SET locked_until = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND, updated_at = UTC_TIMESTAMP(3)
WHERE id = ? AND owner = ? AND epoch = ? AND status = 'PROCESSING'

-- Moves the end of a lease.
-- In: ?1 id, ?2 owner, ?3 epoch, ?4 lease in milliseconds.
-- Reply: one row changed, or none if it is not theirs.
UPDATE idempotency_keys
SET locked_until = {now} + ?4, updated_at = {now}
WHERE id = ?1 AND owner = ?2 AND epoch = ?3 AND status = 'PROCESSING'

-- Removes a row as if it had never been claimed, if it is still its owner's.
-- In: id, owner, epoch.
-- Reply: one row deleted, or none if it is not theirs.
DELETE FROM idempotency_keys
WHERE id = $1 AND owner = $2 AND epoch = $3 AND status = 'PROCESSING'

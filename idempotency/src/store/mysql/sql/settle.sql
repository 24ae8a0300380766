-- Writes how the work ended, if the row is still its owner's.
-- In: status, kind of the response, response, message, time to live in microseconds, id, owner, epoch.
-- Reply: one row changed, or none if the row is not theirs.
UPDATE idempotency_keys
SET status = ?, response_kind = ?, response_payload = ?, error_message = ?,
    locked_until = NULL, expires_at = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND, updated_at = UTC_TIMESTAMP(3)
WHERE id = ? AND owner = ? AND epoch = ? AND status = 'PROCESSING'

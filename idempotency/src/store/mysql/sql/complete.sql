-- Writes how the work ended, in its transaction, with the names that begin.sql keeps out of its text.
-- In: key, tenant, operation, status, kind of the response, response, message, time to live in microseconds, id, owner
--     (the name of one attempt, so it implies the epoch).
-- Reply: one row changed, or none if the row is not theirs; whatever the client's flags, since the status changes.
--
-- Its time is moved only if the claim has not given it enough: an index has it.
UPDATE idempotency_keys
SET idempotency_key = ?, tenant = ?, operation = ?,
    status = ?, response_kind = ?, response_payload = ?, error_message = ?,
    locked_until = NULL, expires_at = GREATEST(expires_at, UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND),
    updated_at = UTC_TIMESTAMP(3)
WHERE id = ? AND owner = ? AND status = 'PROCESSING'

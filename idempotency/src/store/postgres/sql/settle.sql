-- Writes how the work ended, if the row is still its owner's.
-- In: status, kind of the response, response, message, time to live in microseconds, id, owner, epoch.
-- Reply: one row changed, or none if the row is not theirs.
UPDATE idempotency_keys
SET status = $1, response_kind = $2, response_payload = $3, error_message = $4, locked_until = NULL,
    expires_at = clock_timestamp() + $5::bigint * INTERVAL '1 microsecond', updated_at = clock_timestamp()
WHERE id = $6 AND owner = $7 AND epoch = $8 AND status = 'PROCESSING'

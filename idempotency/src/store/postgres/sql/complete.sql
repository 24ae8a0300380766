-- Writes how the work ended, in its transaction, with the names that begin.sql keeps out of its text.
-- In: key, tenant, operation, status, kind of the response, response, message, time to live in microseconds, id, owner
--     (the name of one attempt, so it implies the epoch).
-- Reply: one row changed, or none if the row is not theirs.
--
-- Its time is moved only if the claim has not given it enough: an index has it.
UPDATE idempotency_keys
SET idempotency_key = $1, tenant = $2, operation = $3,
    status = $4, response_kind = $5, response_payload = $6, error_message = $7, locked_until = NULL,
    expires_at = greatest(expires_at, clock_timestamp() + $8::bigint * INTERVAL '1 microsecond'),
    updated_at = clock_timestamp()
WHERE id = $9 AND owner = $10 AND status = 'PROCESSING'

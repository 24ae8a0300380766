-- Writes how the work ended, if the row is still its owner's.
-- In: ?1 id, ?2 owner, ?3 epoch or NULL (an owner is the name of one attempt, so it implies its epoch),
--     ?4 status, ?5 kind of the response, ?6 response, ?7 message, ?8 time to live in milliseconds.
-- Reply: one row changed, or none if it is not theirs.
UPDATE idempotency_keys
SET status = ?4, response_kind = ?5, response_payload = ?6, error_message = ?7,
    locked_until = NULL, expires_at = {now} + ?8, updated_at = {now}
WHERE id = ?1 AND owner = ?2 AND epoch = COALESCE(?3, epoch) AND status = 'PROCESSING'

-- Settles a row that nobody works on any more.
-- In: status, kind of the response, response, message, time to live in milliseconds, id, epoch.
-- Reply: one row changed, or none if somebody works on it, or has settled it.
--
-- The owner is nobody's from then on, so that work which comes late is not taken for what is written here.
UPDATE idempotency_keys
SET owner = zeroblob(16),
    status = ?1, response_kind = ?2, response_payload = ?3, error_message = ?4, locked_until = NULL,
    expires_at = {now} + ?5, updated_at = {now}
WHERE id = ?6 AND epoch = ?7
  AND (status = 'UNKNOWN' OR (status = 'PROCESSING' AND (locked_until IS NULL OR locked_until <= {now})))

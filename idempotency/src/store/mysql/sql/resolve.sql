-- Settles a row that nobody works on any more.
-- In: status, kind of the response, response, message, time to live in microseconds, id, epoch.
-- Reply: one row changed, or none if somebody works on it, or has settled it.
--
-- The owner is nobody's from then on, so that work which comes late is not taken for what is written here.
UPDATE idempotency_keys
SET owner = REPEAT(x'00', 16),
    status = ?, response_kind = ?, response_payload = ?, error_message = ?, locked_until = NULL,
    expires_at = UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND, updated_at = UTC_TIMESTAMP(3)
WHERE id = ? AND epoch = ?
  AND (status = 'UNKNOWN' OR (status = 'PROCESSING' AND (locked_until IS NULL OR locked_until <= UTC_TIMESTAMP(3))))

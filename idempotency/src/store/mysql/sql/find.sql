-- Reads a row.
-- In: {id}.
-- Reply: the row, with what is left of its lease and of its time, in milliseconds.
SELECT owner, epoch, fingerprint, fingerprint_version, status,
       TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(3), locked_until) DIV 1000 AS lease_left,
       TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(3), expires_at) DIV 1000 AS expires_in,
       response_kind, response_payload
FROM idempotency_keys
WHERE id = {id}

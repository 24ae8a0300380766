-- Reads a row.
-- In: ?1 id.
-- Reply: the row, with what is left of its lease and of its time, in milliseconds.
SELECT owner, epoch, fingerprint, fingerprint_version, status,
       locked_until - {now} AS lease_left, expires_at - {now} AS expires_in,
       response_kind, response_payload
FROM idempotency_keys
WHERE id = ?1

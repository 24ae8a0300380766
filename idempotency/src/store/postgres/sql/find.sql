-- Reads a row.
-- In: {id}.
-- Reply: the row, with what is left of its lease and of its time, in milliseconds.
SELECT owner, epoch, fingerprint, fingerprint_version, status,
       (extract(epoch FROM locked_until - clock_timestamp()) * 1000)::bigint AS lease_left,
       (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::bigint AS expires_in,
       response_kind, response_payload
FROM idempotency_keys
WHERE id = {id}

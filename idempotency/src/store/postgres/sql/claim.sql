-- Claims a row.
-- In: {id}, {key}, {tenant}, {operation}, {fingerprint}, {fingerprint_version}, {owner}, {lease} in microseconds or
--     NULL, {ttl} in microseconds, {takeover}: whether a lease that is over may be taken over.
-- Reply: the epoch if the row is now ours, no row if it is not.
INSERT INTO idempotency_keys AS kept (
    id, idempotency_key, tenant, operation, fingerprint, fingerprint_version,
    status, epoch, owner, locked_until, expires_at, created_at, updated_at
) VALUES (
    {id}, {key}, {tenant}, {operation}, {fingerprint}, {fingerprint_version},
    'PROCESSING', 1, {owner}, clock_timestamp() + {lease}::bigint * INTERVAL '1 microsecond',
    clock_timestamp() + {ttl}::bigint * INTERVAL '1 microsecond', clock_timestamp(), clock_timestamp()
)
ON CONFLICT (id) DO UPDATE SET
    owner = excluded.owner,
    epoch = kept.epoch + 1,
    status = 'PROCESSING',
    fingerprint = excluded.fingerprint,
    fingerprint_version = excluded.fingerprint_version,
    locked_until = excluded.locked_until,
    expires_at = excluded.expires_at,
    updated_at = excluded.updated_at,
    response_kind = NULL,
    response_payload = NULL,
    error_message = NULL
WHERE (kept.status IN ('COMPLETED', 'FAILED') AND kept.expires_at <= clock_timestamp())
   OR (
       (kept.fingerprint = excluded.fingerprint OR kept.fingerprint_version <> excluded.fingerprint_version)
       AND (
           kept.status = 'FAILED'
           OR ({takeover} AND kept.status = 'PROCESSING' AND kept.locked_until <= clock_timestamp())
       )
   )
RETURNING epoch

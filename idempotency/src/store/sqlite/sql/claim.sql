-- Claims a row.
-- In: ?1 id, ?2 key, ?3 tenant, ?4 operation, ?5 fingerprint, ?6 its version, ?7 owner,
--     ?8 lease in milliseconds or NULL, ?9 time to live in milliseconds, ?10 whether a lease that is over may be
--     taken over.
-- Reply: one row with the epoch if the row is now ours, none if it is not.
INSERT INTO idempotency_keys (
    id, idempotency_key, tenant, operation, fingerprint, fingerprint_version,
    status, epoch, owner, locked_until, expires_at, created_at, updated_at
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'PROCESSING', 1, ?7, {now} + ?8, {now} + ?9, {now}, {now})
ON CONFLICT (id) DO UPDATE SET
    owner = excluded.owner,
    epoch = epoch + 1,
    status = 'PROCESSING',
    fingerprint = excluded.fingerprint,
    fingerprint_version = excluded.fingerprint_version,
    locked_until = excluded.locked_until,
    expires_at = excluded.expires_at,
    updated_at = excluded.updated_at,
    response_kind = NULL,
    response_payload = NULL,
    error_message = NULL
WHERE (status IN ('COMPLETED', 'FAILED') AND expires_at <= {now})
   OR ((fingerprint = excluded.fingerprint OR fingerprint_version <> excluded.fingerprint_version)
       AND (status = 'FAILED' OR (?10 AND status = 'PROCESSING' AND locked_until <= {now})))
RETURNING epoch

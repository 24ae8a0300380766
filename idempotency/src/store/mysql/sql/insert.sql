-- Claims a row that nobody has: part of begin.sql and of claim.sql.
-- In: {id}, {key}, {tenant}, {operation}, {fingerprint}, {fingerprint_version}, {owner}, {lease} in microseconds or
--     NULL, {ttl} in microseconds.
INSERT INTO idempotency_keys (
    id, idempotency_key, tenant, operation, fingerprint, fingerprint_version,
    status, epoch, owner, locked_until, expires_at, created_at, updated_at
) VALUES (
    {id}, {key}, {tenant}, {operation}, {fingerprint}, {fingerprint_version},
    'PROCESSING', 1, {owner}, UTC_TIMESTAMP(3) + INTERVAL {lease} MICROSECOND,
    UTC_TIMESTAMP(3) + INTERVAL {ttl} MICROSECOND, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)
)

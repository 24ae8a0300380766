-- Fails if the table or one of its columns is missing.
-- Reply: no row.
SELECT id, idempotency_key, tenant, operation, fingerprint, fingerprint_version, status, epoch, owner, locked_until,
       expires_at, created_at, updated_at, response_kind, response_payload, error_message
FROM idempotency_keys
LIMIT 0

-- Keys, their state and their stored responses. Times are milliseconds since 1970, by the database's clock.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    id                  BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of tenant, operation and key
    idempotency_key     TEXT    NOT NULL,             -- as sent, for people; `id` is what is compared
    tenant              TEXT    NOT NULL,
    operation           TEXT    NOT NULL,
    fingerprint         BLOB    NOT NULL,
    fingerprint_version INTEGER NOT NULL,
    status              TEXT    NOT NULL CHECK (status IN ('PROCESSING', 'COMPLETED', 'FAILED', 'UNKNOWN')),
    epoch               INTEGER NOT NULL,
    owner               BLOB    NOT NULL,
    locked_until        INTEGER NULL,
    expires_at          INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    response_kind       TEXT    NULL CHECK (response_kind IN ('SUCCESS', 'REFUSAL')),
    response_payload    BLOB    NULL,
    error_message       TEXT    NULL
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS idempotency_keys_expires_at ON idempotency_keys (expires_at);

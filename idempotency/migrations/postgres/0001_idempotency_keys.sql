-- Keys, their state and their stored responses, for PostgreSQL 13 and later.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    id                  BYTEA        NOT NULL PRIMARY KEY, -- SHA-256 of tenant, operation and key
    idempotency_key     VARCHAR(255) NOT NULL,             -- as sent, for people; `id` is what is compared
    tenant              VARCHAR(255) NOT NULL,
    operation           VARCHAR(255) NOT NULL,
    fingerprint         BYTEA        NOT NULL,
    fingerprint_version INTEGER      NOT NULL,
    status              TEXT         NOT NULL CHECK (status IN ('PROCESSING', 'COMPLETED', 'FAILED', 'UNKNOWN')),
    epoch               INTEGER      NOT NULL,
    owner               BYTEA        NOT NULL,
    locked_until        TIMESTAMPTZ  NULL,
    expires_at          TIMESTAMPTZ  NOT NULL,
    created_at          TIMESTAMPTZ  NOT NULL,
    updated_at          TIMESTAMPTZ  NOT NULL,
    response_kind       TEXT         NULL CHECK (response_kind IN ('SUCCESS', 'REFUSAL')),
    response_payload    BYTEA        NULL,
    error_message       TEXT         NULL
);

CREATE INDEX IF NOT EXISTS idempotency_keys_expires_at ON idempotency_keys (expires_at);

-- Keys, their state and their stored responses, for MySQL 8 and MariaDB 10.6 and later. Times are UTC.
--
-- The one unique index is the primary key: with an AUTO_INCREMENT and a second unique index, duplicates would lock
-- gaps and block unrelated keys.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    id                  BINARY(32)        NOT NULL COMMENT 'SHA-256 of tenant, operation and key',
    idempotency_key     VARCHAR(255)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'as sent, for people; id is what is compared',
    tenant              VARCHAR(255)      CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    operation           VARCHAR(255)      CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    fingerprint         BINARY(32)        NOT NULL,
    fingerprint_version SMALLINT UNSIGNED NOT NULL,
    status              ENUM('PROCESSING', 'COMPLETED', 'FAILED', 'UNKNOWN') NOT NULL,
    epoch               INT UNSIGNED      NOT NULL,
    owner               BINARY(16)        NOT NULL,
    locked_until        DATETIME(3)       NULL,
    expires_at          DATETIME(3)       NOT NULL,
    created_at          DATETIME(3)       NOT NULL,
    updated_at          DATETIME(3)       NOT NULL,
    response_kind       ENUM('SUCCESS', 'REFUSAL') NULL,
    response_payload    MEDIUMBLOB        NULL,
    error_message       TEXT              CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    PRIMARY KEY (id),
    KEY expires_at (expires_at)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC

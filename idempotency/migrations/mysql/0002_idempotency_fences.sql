-- The last fencing token under which each lock has been used in a transaction that holds an idempotency key, for MySQL 8
-- and MariaDB 10.6 and later. Times are UTC.
--
-- A holder whose lock ran out without its noticing has a lower token than its successor, and is refused here. A row
-- whose `updated_at` is a day old may be deleted.
CREATE TABLE IF NOT EXISTS idempotency_fences (
    lock_key   VARBINARY(512) NOT NULL COMMENT 'in UTF-8; bytes, so that no collation takes two keys for one',
    token      BIGINT         NOT NULL,
    updated_at DATETIME(3)    NOT NULL,
    PRIMARY KEY (lock_key)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC

CREATE TABLE IF NOT EXISTS users (
    id       BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    email    VARCHAR(255) NOT NULL UNIQUE,
    username VARCHAR(100) NOT NULL,
    balance  BIGINT       NOT NULL CHECK (balance >= 0),
    version  BIGINT       NOT NULL DEFAULT 0,
    -- Token of the last lock under which the balance was written: an older one is refused.
    fence    BIGINT       NOT NULL DEFAULT 0
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

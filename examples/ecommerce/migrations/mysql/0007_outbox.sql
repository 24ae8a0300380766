-- Events are written in the transaction of what they tell of, and published afterwards, in the order of `id` per order.
CREATE TABLE IF NOT EXISTS outbox (
    id           BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
    event_id     CHAR(36)    NOT NULL UNIQUE,
    event_type   VARCHAR(50) NOT NULL,
    order_id     BIGINT      NOT NULL,
    payload      TEXT        NOT NULL,
    status       VARCHAR(20) NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'PUBLISHED', 'DEAD')),
    attempts     BIGINT      NOT NULL DEFAULT 0,
    next_try_at  DATETIME(3) NOT NULL,
    created_at   DATETIME(3) NOT NULL,
    published_at DATETIME(3) NULL,
    last_error   TEXT        NULL,
    KEY outbox_to_publish (status, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

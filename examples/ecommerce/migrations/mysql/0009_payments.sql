-- What was taken for an order, from before the gateway is asked until its answer is known.
CREATE TABLE IF NOT EXISTS payments (
    id              BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    payment_id      CHAR(36)     NOT NULL UNIQUE,
    order_id        BIGINT       NOT NULL,
    -- The order while the payment stands: an order has one at most. NULL once everything was given back.
    standing_for    BIGINT       NULL UNIQUE,
    user_id         BIGINT       NOT NULL,
    amount          BIGINT       NOT NULL CHECK (amount >= 0),
    balance_after   BIGINT       NOT NULL,
    idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status          VARCHAR(20)  NOT NULL CHECK (status IN ('RESERVED', 'UNKNOWN', 'SETTLED', 'RETURNED')),
    created_at      DATETIME(3)  NOT NULL,
    settled_at      DATETIME(3)  NULL,
    KEY payments_by_status (status, created_at),
    KEY payments_by_order (order_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

-- The books of the mock gateway, which in life are somebody else's.
CREATE TABLE IF NOT EXISTS mock_gateway (
    payment_id CHAR(36)    NOT NULL PRIMARY KEY,
    amount     BIGINT      NOT NULL,
    outcome    VARCHAR(20) NOT NULL CHECK (outcome IN ('APPROVED', 'DECLINED'))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

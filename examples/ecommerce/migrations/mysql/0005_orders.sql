CREATE TABLE IF NOT EXISTS orders (
    id              BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
    order_number    VARCHAR(50) NOT NULL UNIQUE,
    user_id         BIGINT      NOT NULL,
    user_coupon_id  BIGINT      NULL,
    subtotal_amount BIGINT      NOT NULL CHECK (subtotal_amount >= 0),
    discount_amount BIGINT      NOT NULL CHECK (discount_amount >= 0),
    total_amount    BIGINT      NOT NULL CHECK (total_amount >= 0),
    status          VARCHAR(20) NOT NULL CHECK (status IN ('PENDING', 'COMPLETED', 'CANCELLED')),
    created_at      DATETIME(3) NOT NULL,
    paid_at         DATETIME(3) NULL,
    version         BIGINT      NOT NULL DEFAULT 0,
    KEY orders_by_user (user_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

CREATE TABLE IF NOT EXISTS order_items (
    order_id   BIGINT NOT NULL,
    product_id BIGINT NOT NULL,
    quantity   BIGINT NOT NULL CHECK (quantity >= 1),
    unit_price BIGINT NOT NULL CHECK (unit_price >= 0),
    subtotal   BIGINT NOT NULL CHECK (subtotal >= 0),
    PRIMARY KEY (order_id, product_id),
    FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;

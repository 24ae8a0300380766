CREATE TABLE IF NOT EXISTS orders (
    id              INTEGER PRIMARY KEY,
    order_number    TEXT    NOT NULL UNIQUE,
    user_id         INTEGER NOT NULL,
    user_coupon_id  INTEGER,
    subtotal_amount INTEGER NOT NULL CHECK (subtotal_amount >= 0),
    discount_amount INTEGER NOT NULL CHECK (discount_amount >= 0),
    total_amount    INTEGER NOT NULL CHECK (total_amount >= 0),
    status          TEXT    NOT NULL CHECK (status IN ('PENDING', 'COMPLETED', 'CANCELLED')),
    created_at      TEXT    NOT NULL,
    paid_at         TEXT,
    version         INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX IF NOT EXISTS orders_by_user ON orders (user_id, id);

CREATE TABLE IF NOT EXISTS order_items (
    order_id   INTEGER NOT NULL REFERENCES orders (id),
    product_id INTEGER NOT NULL,
    quantity   INTEGER NOT NULL CHECK (quantity >= 1),
    unit_price INTEGER NOT NULL CHECK (unit_price >= 0),
    subtotal   INTEGER NOT NULL CHECK (subtotal >= 0),
    PRIMARY KEY (order_id, product_id)
) STRICT;

CREATE TABLE IF NOT EXISTS carts (
    id      INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL UNIQUE
) STRICT;

CREATE TABLE IF NOT EXISTS cart_items (
    cart_id    INTEGER NOT NULL REFERENCES carts (id),
    product_id INTEGER NOT NULL,
    quantity   INTEGER NOT NULL CHECK (quantity >= 1),
    PRIMARY KEY (cart_id, product_id)
) STRICT;

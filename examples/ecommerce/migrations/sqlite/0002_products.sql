CREATE TABLE IF NOT EXISTS products (
    id           INTEGER PRIMARY KEY,
    product_code TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    price        INTEGER NOT NULL CHECK (price >= 0),
    category     TEXT    NOT NULL,
    stock        INTEGER NOT NULL CHECK (stock >= 0),
    version      INTEGER NOT NULL DEFAULT 0,
    created_at   TEXT    NOT NULL
) STRICT;

CREATE INDEX IF NOT EXISTS products_by_category ON products (category);

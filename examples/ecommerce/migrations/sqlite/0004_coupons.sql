CREATE TABLE IF NOT EXISTS coupons (
    id              INTEGER PRIMARY KEY,
    coupon_code     TEXT    NOT NULL UNIQUE,
    name            TEXT    NOT NULL,
    discount_rate   INTEGER NOT NULL CHECK (discount_rate BETWEEN 0 AND 100),
    total_quantity  INTEGER NOT NULL CHECK (total_quantity >= 0),
    issued_quantity INTEGER NOT NULL DEFAULT 0 CHECK (issued_quantity BETWEEN 0 AND total_quantity),
    start_date      TEXT    NOT NULL,
    end_date        TEXT    NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS user_coupons (
    id         INTEGER PRIMARY KEY,
    user_id    INTEGER NOT NULL,
    coupon_id  INTEGER NOT NULL,
    status     TEXT    NOT NULL CHECK (status IN ('AVAILABLE', 'USED', 'EXPIRED')),
    issued_at  TEXT    NOT NULL,
    used_at    TEXT,
    expires_at TEXT    NOT NULL,
    UNIQUE (user_id, coupon_id)
) STRICT;

-- Events are written in the transaction of what they tell of, and published afterwards, in the order of `id` per order.
CREATE TABLE IF NOT EXISTS outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id     TEXT    NOT NULL UNIQUE,
    event_type   TEXT    NOT NULL,
    order_id     INTEGER NOT NULL,
    payload      TEXT    NOT NULL,
    status       TEXT    NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'PUBLISHED', 'DEAD')),
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_try_at  TEXT    NOT NULL,
    created_at   TEXT    NOT NULL,
    published_at TEXT,
    last_error   TEXT
) STRICT;

CREATE INDEX IF NOT EXISTS outbox_to_publish ON outbox (status, id);

-- What was taken for an order, from before the gateway is asked until its answer is known.
CREATE TABLE IF NOT EXISTS payments (
    id              INTEGER PRIMARY KEY,
    payment_id      TEXT    NOT NULL UNIQUE,
    order_id        INTEGER NOT NULL,
    -- The order while the payment stands: an order has one at most. NULL once everything was given back.
    standing_for    INTEGER UNIQUE,
    user_id         INTEGER NOT NULL,
    amount          INTEGER NOT NULL CHECK (amount >= 0),
    balance_after   INTEGER NOT NULL,
    idempotency_key TEXT    NOT NULL,
    status          TEXT    NOT NULL CHECK (status IN ('RESERVED', 'UNKNOWN', 'SETTLED', 'RETURNED')),
    created_at      TEXT    NOT NULL,
    settled_at      TEXT
) STRICT;

CREATE INDEX IF NOT EXISTS payments_by_status ON payments (status, created_at);
CREATE INDEX IF NOT EXISTS payments_by_order ON payments (order_id, id);

-- The books of the mock gateway, which in life are somebody else's.
CREATE TABLE IF NOT EXISTS mock_gateway (
    payment_id TEXT    PRIMARY KEY,
    amount     INTEGER NOT NULL,
    outcome    TEXT    NOT NULL CHECK (outcome IN ('APPROVED', 'DECLINED'))
) STRICT;

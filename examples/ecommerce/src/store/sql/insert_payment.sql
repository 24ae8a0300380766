-- ?: payment id, order id twice, user id, amount, balance after it, idempotency key, status, moment.
INSERT INTO payments
    (payment_id, order_id, standing_for, user_id, amount, balance_after, idempotency_key, status, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- ?: order id, idempotency key. Reply: at most one row.
SELECT payment_id, order_id, user_id, amount, balance_after, idempotency_key, status, created_at, settled_at
FROM payments
WHERE order_id = ? AND idempotency_key = ?
ORDER BY id DESC
LIMIT 1

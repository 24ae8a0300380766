-- ?: moment, most rows. Reply: the oldest first.
SELECT payment_id, order_id, user_id, amount, balance_after, idempotency_key, status, created_at, settled_at
FROM payments
WHERE status IN ('RESERVED', 'UNKNOWN') AND created_at < ?
ORDER BY id
LIMIT ?

-- ?: user id, status or NULL for all. Reply: one row an order, the newest first.
SELECT id, order_number, user_id, subtotal_amount, discount_amount, total_amount, status, created_at, paid_at
FROM orders
WHERE user_id = ? AND status = COALESCE(?, status)
ORDER BY id DESC

-- ?: order id. Reply: at most one row.
SELECT id, order_number, user_id, subtotal_amount, discount_amount, total_amount, status, created_at, paid_at
FROM orders
WHERE id = ?

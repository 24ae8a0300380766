-- ?: user id, status or NULL for all. Reply: one row a line.
SELECT i.order_id, i.product_id, p.name AS product_name, i.quantity, i.unit_price, i.subtotal
FROM orders o
JOIN order_items i ON i.order_id = o.id
JOIN products p ON p.id = i.product_id
WHERE o.user_id = ? AND o.status = COALESCE(?, o.status)
ORDER BY i.order_id, i.product_id

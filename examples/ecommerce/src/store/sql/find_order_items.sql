-- ?: order id. Reply: one row a line, by product.
SELECT i.order_id, i.product_id, p.name AS product_name, i.quantity, i.unit_price, i.subtotal
FROM order_items i
JOIN products p ON p.id = i.product_id
WHERE i.order_id = ?
ORDER BY i.product_id

-- ?: user id. Reply: one row a line.
SELECT i.product_id, p.name, p.price, i.quantity, p.stock
FROM carts c
JOIN cart_items i ON i.cart_id = c.id
JOIN products p ON p.id = i.product_id
WHERE c.user_id = ?
ORDER BY i.product_id

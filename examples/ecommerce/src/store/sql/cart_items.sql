-- ?: user id. Reply: one row a line.
SELECT i.product_id, i.quantity
FROM carts c
JOIN cart_items i ON i.cart_id = c.id
WHERE c.user_id = ?
ORDER BY i.product_id

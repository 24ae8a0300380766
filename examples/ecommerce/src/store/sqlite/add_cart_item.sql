-- ?: cart id, product id, quantity. One statement, so that two requests at once both count.
INSERT INTO cart_items (cart_id, product_id, quantity) VALUES (?, ?, ?)
ON CONFLICT (cart_id, product_id) DO UPDATE SET quantity = MIN(quantity + excluded.quantity, 1000000)

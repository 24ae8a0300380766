-- ?: cart id, product id, quantity. One statement, so that two requests at once both count.
INSERT INTO cart_items (cart_id, product_id, quantity) VALUES (?, ?, ?)
ON DUPLICATE KEY UPDATE quantity = LEAST(quantity + VALUES(quantity), 1000000)

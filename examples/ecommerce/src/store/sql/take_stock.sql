-- ?: pieces, product id, pieces. Reply: 1 row when there were so many, else 0.
UPDATE products SET stock = stock - ?, version = version + 1 WHERE id = ? AND stock >= ?

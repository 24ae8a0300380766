-- Reply: rows by number.
SELECT id, name, description, price, category, created_at FROM products ORDER BY id

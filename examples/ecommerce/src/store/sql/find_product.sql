-- ?: product id. Reply: at most one row.
SELECT id, name, description, price, category, created_at FROM products WHERE id = ?

-- ?: product id, day, pieces, revenue.
INSERT INTO product_sales (product_id, sales_date, sales_count, revenue) VALUES (?, ?, ?, ?)
ON CONFLICT (sales_date, product_id) DO UPDATE
SET sales_count = sales_count + excluded.sales_count, revenue = revenue + excluded.revenue

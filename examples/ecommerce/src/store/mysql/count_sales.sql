-- ?: product id, day, pieces, revenue.
INSERT INTO product_sales (product_id, sales_date, sales_count, revenue) VALUES (?, ?, ?, ?)
ON DUPLICATE KEY UPDATE sales_count = sales_count + VALUES(sales_count), revenue = revenue + VALUES(revenue)

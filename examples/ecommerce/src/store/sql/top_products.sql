-- ?: first day, most rows. Reply: the best first.
SELECT s.product_id, p.name, CAST(SUM(s.sales_count) AS SIGNED) AS sales_count, CAST(SUM(s.revenue) AS SIGNED) AS revenue
FROM product_sales s
JOIN products p ON p.id = s.product_id
WHERE s.sales_date >= ?
GROUP BY s.product_id, p.name
ORDER BY sales_count DESC, s.product_id
LIMIT ?

-- What must hold after order-idempotency.js on fresh data: each row counts what is wrong, and is 0.
SELECT 'orders that are not of exactly one key' AS wrong, COUNT(*) AS number
FROM orders
LEFT JOIN (
    SELECT CAST(JSON_VALUE(CONVERT(response_payload USING utf8mb4), '$.orderId') AS SIGNED) AS order_id,
           COUNT(*) AS times
    FROM idempotency_keys
    WHERE operation = 'order' AND status = 'COMPLETED'
    GROUP BY 1
) AS told ON told.order_id = orders.id
WHERE times IS NULL OR times <> 1
UNION ALL
SELECT 'keys without their order', COUNT(*) - (SELECT COUNT(*) FROM orders) FROM idempotency_keys
UNION ALL
SELECT 'orders whose total is not that of their lines', COUNT(*)
FROM orders
WHERE total_amount <> (SELECT SUM(quantity * unit_price) FROM order_items WHERE order_id = orders.id)
UNION ALL
SELECT 'pieces that an order took before it was paid', 180102 - SUM(stock) FROM products
UNION ALL
SELECT 'a load without an order', COUNT(*) = 0 FROM orders;

-- What must hold after payment.js on fresh data: each row counts what is wrong, and is 0.
SELECT 'won that left the balances and are in no paid order' AS wrong,
       (SELECT 150 * 100000000 - SUM(balance) FROM users WHERE id > 3)
       - (SELECT COALESCE(SUM(total_amount), 0) FROM orders WHERE status = 'COMPLETED') AS number
UNION ALL
SELECT 'products of which other pieces are gone than were paid', COUNT(*)
FROM products
WHERE id <= 12
  AND 10000 - stock <> (
    SELECT COALESCE(SUM(quantity), 0)
    FROM order_items
    JOIN orders ON orders.id = order_items.order_id AND orders.status = 'COMPLETED'
    WHERE product_id = products.id
  )
UNION ALL
SELECT 'products with less than nothing', COUNT(*) FROM products WHERE stock < 0
UNION ALL
SELECT 'paid orders without exactly one payment and one event', COUNT(*)
FROM orders
WHERE status = 'COMPLETED'
  AND ((SELECT COUNT(*) FROM payments WHERE order_id = orders.id AND status = 'SETTLED') <> 1
    OR (SELECT COUNT(*) FROM outbox WHERE order_id = orders.id) <> 1)
UNION ALL
SELECT 'payments of orders that are not paid', COUNT(*)
FROM payments
JOIN orders ON orders.id = payments.order_id AND orders.status <> 'COMPLETED'
WHERE payments.status <> 'RETURNED'
UNION ALL
SELECT 'sales that were counted without a payment, or not',
       (SELECT COALESCE(SUM(sales_count), 0) FROM product_sales)
       - (
           SELECT COALESCE(SUM(quantity), 0)
           FROM order_items
           JOIN orders ON orders.id = order_id AND status = 'COMPLETED'
       )
UNION ALL
SELECT 'a load without a payment, or none that was declined',
       (SELECT COUNT(*) = 0 FROM payments WHERE status = 'SETTLED')
       + (SELECT COUNT(*) = 0 FROM payments WHERE status = 'RETURNED');

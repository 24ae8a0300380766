-- What must hold after cart.js on fresh data: each row counts what is wrong, and is 0.
SELECT 'lines left over in carts that were emptied' AS wrong, COUNT(*) AS number FROM cart_items
UNION ALL
SELECT 'users with two carts', COUNT(*) FROM (SELECT user_id FROM carts GROUP BY user_id HAVING COUNT(*) > 1) AS two
UNION ALL
SELECT 'a load without a cart', COUNT(*) = 0 FROM carts;

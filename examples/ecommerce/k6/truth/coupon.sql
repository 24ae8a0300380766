-- What must hold after coupon.js on fresh data: each row counts what is wrong, and is 0.
SELECT 'coupons with other rows than were issued' AS wrong, COUNT(*) AS number
FROM coupons
WHERE id IN (1, 2, 3)
  AND issued_quantity <> (SELECT COUNT(*) FROM user_coupons WHERE coupon_id = coupons.id)
UNION ALL
SELECT 'coupons issued more often than there are', COUNT(*) FROM coupons WHERE issued_quantity > total_quantity
UNION ALL
SELECT 'users with a coupon twice', COUNT(*)
FROM (SELECT user_id FROM user_coupons GROUP BY user_id, coupon_id HAVING COUNT(*) > 1) AS twice
UNION ALL
SELECT 'pieces of coupon 2 that nobody got', total_quantity - issued_quantity FROM coupons WHERE id = 2;

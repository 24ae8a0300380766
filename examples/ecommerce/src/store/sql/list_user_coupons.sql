-- ?: user id. Reply: one row a coupon.
SELECT u.id, u.coupon_id, c.name, c.discount_rate, u.status, u.issued_at, u.used_at, u.expires_at
FROM user_coupons u
JOIN coupons c ON c.id = u.coupon_id
WHERE u.user_id = ?
ORDER BY u.id

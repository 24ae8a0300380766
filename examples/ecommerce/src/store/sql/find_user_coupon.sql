-- ?: user id, coupon id. Reply: at most one row.
SELECT u.id, u.coupon_id, c.name, c.discount_rate, u.status, u.issued_at, u.used_at, u.expires_at
FROM user_coupons u
JOIN coupons c ON c.id = u.coupon_id
WHERE u.user_id = ? AND u.coupon_id = ?

-- ?: user id, coupon id, status, moment, expiry. Refused when the user has the coupon already.
INSERT INTO user_coupons (user_id, coupon_id, status, issued_at, expires_at) VALUES (?, ?, ?, ?, ?)

-- ?: the status USED, moment, user coupon id, the status AVAILABLE. Reply: 1 row when it was to be had, else 0.
UPDATE user_coupons SET status = ?, used_at = ? WHERE id = ? AND status = ?

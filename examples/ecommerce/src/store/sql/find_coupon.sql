-- ?: coupon id. Reply: at most one row.
SELECT id, name, discount_rate, total_quantity, issued_quantity, start_date, end_date FROM coupons WHERE id = ?

-- ?: code, pieces, first moment, last moment.
INSERT INTO coupons (coupon_code, name, discount_rate, total_quantity, start_date, end_date)
VALUES (?, 'demo', 10, ?, ?, ?)

-- ?: coupon id. Reply: 1 row when there was one left, else 0.
UPDATE coupons SET issued_quantity = issued_quantity + 1 WHERE id = ? AND issued_quantity < total_quantity

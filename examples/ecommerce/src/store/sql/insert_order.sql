-- ?: number, user id, user coupon id or NULL, subtotal, discount, total, status, moment.
INSERT INTO orders
    (order_number, user_id, user_coupon_id, subtotal_amount, discount_amount, total_amount, status, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

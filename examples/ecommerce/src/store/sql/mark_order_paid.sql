-- ?: moment, order id. Reply: 1 row when it was waiting, else 0.
UPDATE orders SET status = 'COMPLETED', paid_at = ?, version = version + 1 WHERE id = ? AND status = 'PENDING'

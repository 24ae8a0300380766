-- ?: the status SETTLED, moment, payment id. Reply: 1 row when it had no answer yet, else 0.
UPDATE payments SET status = ?, settled_at = ? WHERE payment_id = ? AND status IN ('RESERVED', 'UNKNOWN')

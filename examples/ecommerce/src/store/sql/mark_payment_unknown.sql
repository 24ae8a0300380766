-- ?: payment id.
UPDATE payments SET status = 'UNKNOWN' WHERE payment_id = ? AND status = 'RESERVED'

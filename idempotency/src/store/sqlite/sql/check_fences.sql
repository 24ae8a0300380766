-- Fails if the table of fences or one of its columns is missing.
-- Reply: no row.
SELECT lock_key, token, updated_at FROM idempotency_fences LIMIT 0

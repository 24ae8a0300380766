-- Raises the token of a lock's row, unless that is higher already.
-- In: the lock's key, the token.
-- Reply: one row changed, or none if the row has the token of a later holder.
INSERT INTO idempotency_fences AS fence (lock_key, token, updated_at)
VALUES (?, ?, {now})
ON CONFLICT (lock_key) DO UPDATE SET token = excluded.token, updated_at = excluded.updated_at
WHERE fence.token <= excluded.token

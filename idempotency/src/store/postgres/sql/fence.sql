-- Takes a lock's row for the rest of the transaction and raises its token, unless that is higher already.
-- In: the lock's key, the token.
-- Reply: one row changed, or none if the row has the token of a later holder.
INSERT INTO idempotency_fences AS fence (lock_key, token, updated_at)
VALUES ($1, $2, clock_timestamp())
ON CONFLICT (lock_key) DO UPDATE SET token = EXCLUDED.token, updated_at = EXCLUDED.updated_at
WHERE fence.token <= EXCLUDED.token

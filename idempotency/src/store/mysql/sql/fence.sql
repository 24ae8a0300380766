-- Takes a lock's row for the rest of the transaction and raises its token, unless that is higher already.
-- In: the lock's key, the token.
-- Reply: LAST_INSERT_ID is the token that the row has now. Another than ours is that of a later holder.
--
-- LAST_INSERT_ID(x) sets what the reply carries, so that no second statement has to read the row.
INSERT INTO idempotency_fences (lock_key, token, updated_at)
VALUES (?, LAST_INSERT_ID(?), UTC_TIMESTAMP(3))
ON DUPLICATE KEY UPDATE
    updated_at = IF(token <= VALUES(token), VALUES(updated_at), updated_at),
    token = LAST_INSERT_ID(GREATEST(token, VALUES(token)))

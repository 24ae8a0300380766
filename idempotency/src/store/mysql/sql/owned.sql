-- Part of begin.sql where the row may have been there before: fails if it is somebody else's.
-- In: {id}, {owner}.
SET @idempotency_lost = (
    SELECT 1 FROM idempotency_keys WHERE id = {id} AND owner <> {owner}
    UNION ALL SELECT 2
);

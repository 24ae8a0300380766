-- Part of begin.sql where the row may have been there before: fails if it is somebody else's.
-- In: {id}, {owner}.
SELECT 18446744073709551615 + epoch INTO @idempotency_lost FROM idempotency_keys WHERE id = {id} AND owner <> {owner};

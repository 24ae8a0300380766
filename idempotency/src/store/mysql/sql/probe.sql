-- Part of begin.sql where nothing is to be waited for: fails at once if an open transaction has the row.
-- In: {id}.
SELECT 1 FROM idempotency_keys WHERE id = {id} FOR UPDATE NOWAIT;

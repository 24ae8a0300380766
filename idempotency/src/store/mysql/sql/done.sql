-- Part of begin.sql where the row has been met before: fails if it is done by now, in a SELECT, which waits for nobody.
-- In: {id}.
SELECT 18446744073709551615 + epoch INTO @idempotency_done
FROM idempotency_keys WHERE id = {id} AND status = 'COMPLETED' AND expires_at > UTC_TIMESTAMP(3);

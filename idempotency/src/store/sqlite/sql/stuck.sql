-- Lists rows that nobody works on any more, the oldest first. Reads the whole table.
-- In: how many at most.
-- Reply: the rows, with the milliseconds since something happened to them.
SELECT id, idempotency_key, tenant, operation, epoch, status, {now} - updated_at AS idle, error_message
FROM idempotency_keys
WHERE status = 'UNKNOWN' OR (status = 'PROCESSING' AND (locked_until IS NULL OR locked_until <= {now}))
ORDER BY updated_at
LIMIT ?1

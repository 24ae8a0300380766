-- Lists rows that nobody works on any more, the oldest first. Reads the whole table.
-- In: how many at most.
-- Reply: the rows, with the milliseconds since something happened to them.
SELECT id, idempotency_key, tenant, operation, epoch, status, (extract(epoch FROM clock_timestamp() - updated_at) * 1000)::bigint AS idle, error_message
FROM idempotency_keys
WHERE status = 'UNKNOWN' OR (status = 'PROCESSING' AND (locked_until IS NULL OR locked_until <= clock_timestamp()))
ORDER BY updated_at
LIMIT $1

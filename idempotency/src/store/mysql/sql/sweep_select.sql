-- Finds what may be deleted. A plain read: it blocks no claim.
-- In: {grace} in microseconds, {limit}.
-- Reply: the ids.
SELECT id FROM idempotency_keys
WHERE expires_at < UTC_TIMESTAMP(3) - INTERVAL {grace} MICROSECOND AND status IN ('COMPLETED', 'FAILED')
ORDER BY expires_at
LIMIT {limit}

-- ?: most rows. Reply: in the order in which they were written.
SELECT id, event_id, event_type, order_id, payload, attempts, next_try_at, created_at
FROM outbox
WHERE status = 'PENDING'
ORDER BY id
LIMIT ?

-- Deletes what may still go, by primary key and in its order.
-- In: {ids}, sorted; {grace} in microseconds.
-- Reply: the number of rows deleted.
--
-- `DELETE … WHERE expires_at < … LIMIT n` would lock index and row in the other order than a claim, and deadlock.
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
DELETE FROM idempotency_keys
WHERE id IN ({ids})
  AND expires_at < UTC_TIMESTAMP(3) - INTERVAL {grace} MICROSECOND AND status IN ('COMPLETED', 'FAILED')

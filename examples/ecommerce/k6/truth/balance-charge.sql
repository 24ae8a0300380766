-- What must hold after balance-charge.js on fresh data: each row counts what is wrong, and is 0.
SELECT 'users whose balance or version is not the sum of their completed charges' AS wrong, COUNT(*) AS number
FROM users
LEFT JOIN (
    SELECT CAST(JSON_VALUE(CONVERT(response_payload USING utf8mb4), '$.userId') AS SIGNED) AS user_id,
           SUM(CAST(JSON_VALUE(CONVERT(response_payload USING utf8mb4), '$.chargedAmount') AS SIGNED)) AS won,
           COUNT(*) AS charges
    FROM idempotency_keys
    WHERE operation = 'charge' AND status = 'COMPLETED'
    GROUP BY 1
) AS charged ON charged.user_id = users.id
WHERE users.id > 3
  AND (users.balance <> 100000000 + COALESCE(won, 0) OR users.version <> COALESCE(charges, 0))
UNION ALL
SELECT 'keys that are neither completed nor gone', COUNT(*) FROM idempotency_keys WHERE status <> 'COMPLETED'
UNION ALL
SELECT 'a load without a charge', COUNT(*) = 0 FROM idempotency_keys WHERE operation = 'charge';

-- ?: pattern of emails. Reply: the most orders that one of these users has, or 0.
SELECT COALESCE(MAX(placed), 0)
FROM (
    SELECT COUNT(*) AS placed
    FROM orders
    WHERE user_id IN (SELECT id FROM users WHERE email LIKE ?)
    GROUP BY user_id
) AS per_user

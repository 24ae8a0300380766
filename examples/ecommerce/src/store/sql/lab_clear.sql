-- Four statements, each with one ?: the pattern of emails, and of keys.
DELETE FROM order_items
WHERE order_id IN (SELECT id FROM orders WHERE user_id IN (SELECT id FROM users WHERE email LIKE ?));

DELETE FROM orders WHERE user_id IN (SELECT id FROM users WHERE email LIKE ?);

DELETE FROM user_coupons WHERE user_id IN (SELECT id FROM users WHERE email LIKE ?);

DELETE FROM users WHERE email LIKE ?;

DELETE FROM idempotency_keys WHERE idempotency_key LIKE ?;

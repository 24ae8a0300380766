-- ?: user id. Reply: at most one row.
SELECT id, email, username, balance, version, fence FROM users WHERE id = ?

-- ?: new balance, our token, user id, the version that was read, our token. Reply: 1 row when written, else 0.
UPDATE users SET balance = ?, version = version + 1, fence = ? WHERE id = ? AND version = ? AND fence <= ?

-- ?: moment, id.
UPDATE outbox SET status = 'PUBLISHED', attempts = attempts + 1, published_at = ?, last_error = NULL WHERE id = ?

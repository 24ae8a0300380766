-- ?: status, attempts, moment of the next try, error, id.
UPDATE outbox SET status = ?, attempts = ?, next_try_at = ?, last_error = ? WHERE id = ?

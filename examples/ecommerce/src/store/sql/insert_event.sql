-- ?: event id, type, order id, payload, moment of the next try, moment.
INSERT INTO outbox (event_id, event_type, order_id, payload, next_try_at, created_at) VALUES (?, ?, ?, ?, ?, ?)

-- ?: payment id, amount, outcome.
INSERT INTO mock_gateway (payment_id, amount, outcome) VALUES (?, ?, ?)

-- Takes the right to sweep this table; it ends with the connection.
-- Reply: 1, or 0 if somebody else has it.
SELECT GET_LOCK(CONCAT('idempotency_sweep_', LEFT(SHA2(CONCAT(COALESCE(DATABASE(), ''), '.idempotency_keys'), 256), 32)), 0)

-- Gives the right to sweep this table back.
-- Reply: nothing.
DO RELEASE_LOCK(CONCAT('idempotency_sweep_', LEFT(SHA2(CONCAT(COALESCE(DATABASE(), ''), '.idempotency_keys'), 256), 32)))

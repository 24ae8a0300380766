-- Runs what prepare.sql has prepared.
-- In: what begin.sql takes, each as often as it does and in its order.
-- Reply: what begin.sql replies; or the error 1243 if this connection has prepared nothing yet, or 1064 from
--     MySQL.
EXECUTE `idempotency_keys` USING {values}

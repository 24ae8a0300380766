-- Runs what prepare.sql has prepared.
-- In: what block.sql takes, in its order.
-- Reply: what block.sql replies; or the error 1243 if this connection has prepared nothing yet, or 1064 from MySQL.
EXECUTE `idempotency_keys` USING {values}

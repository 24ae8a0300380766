-- Prepares block.sql under a name for the rest of the connection, so that the server parses it once and answers it once.
-- In: block.sql, with its quotes doubled.
-- Reply: nothing; or the error 1064 or 1295 from MySQL, which cannot prepare more than one statement at a time.
PREPARE `idempotency_keys` FROM '{block}'

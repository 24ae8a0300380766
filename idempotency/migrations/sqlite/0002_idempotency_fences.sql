-- The last fencing token under which each lock has been used in a transaction that holds an idempotency key.
--
-- A holder whose lock ran out without its noticing has a lower token than its successor, and is refused here. A row
-- whose `updated_at` is a day old may be deleted.
CREATE TABLE IF NOT EXISTS idempotency_fences (
    lock_key   TEXT    NOT NULL PRIMARY KEY,
    token      INTEGER NOT NULL,
    updated_at INTEGER NOT NULL -- milliseconds since 1970, by the database's clock
) WITHOUT ROWID;

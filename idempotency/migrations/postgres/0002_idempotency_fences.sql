-- The last fencing token under which each lock has been used in a transaction that holds an idempotency key, for
-- PostgreSQL 13 and later.
--
-- A holder whose lock ran out without its noticing has a lower token than its successor, and is refused here. A row
-- whose `updated_at` is a day old may be deleted.
CREATE TABLE IF NOT EXISTS idempotency_fences (
    lock_key   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    token      BIGINT           NOT NULL,
    updated_at TIMESTAMPTZ      NOT NULL
);

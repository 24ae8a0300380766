CREATE TABLE IF NOT EXISTS users (
    id       INTEGER PRIMARY KEY,
    email    TEXT    NOT NULL UNIQUE,
    username TEXT    NOT NULL,
    balance  INTEGER NOT NULL CHECK (balance >= 0),
    version  INTEGER NOT NULL DEFAULT 0,
    -- Token of the last lock under which the balance was written: an older one is refused.
    fence    INTEGER NOT NULL DEFAULT 0
) STRICT;

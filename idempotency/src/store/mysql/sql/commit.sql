-- Commits what begin.sql has begun.
-- Reply: nothing.
COMMIT;
SET SESSION autocommit = 1

-- Undoes what begin.sql has begun.
-- Reply: nothing.
ROLLBACK;
SET SESSION autocommit = 1

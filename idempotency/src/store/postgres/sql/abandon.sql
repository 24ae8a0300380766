-- Ends what begin.sql has begun and reads the row that was in its way.
-- In: {id}.
-- Reply: the row, if there is one.
ROLLBACK;
{find}

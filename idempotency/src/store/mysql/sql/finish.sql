-- Writes how the work ended and commits, in one round trip. MariaDB alone can prepare more than one statement at a time.
-- In: what complete.sql takes.
-- Reply: nothing; or the error 1644 if the row is not theirs, with the transaction still open.
BEGIN NOT ATOMIC
{complete};
    IF ROW_COUNT() <> 1 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the row is not theirs';
    END IF;
    COMMIT;
    SET SESSION autocommit = 1;
END

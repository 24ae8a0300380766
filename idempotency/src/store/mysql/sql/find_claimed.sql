-- Reads a row that claim.sql has just locked, as it is and not as an older snapshot of the transaction has it.
-- In: {id}.
-- Reply: what find.sql replies.
{find} FOR UPDATE

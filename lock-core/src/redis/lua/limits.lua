-- Shared by the scripts that may change the owner of a key. Comes before everything else.
--
-- Texts, because a number costs more as an argument of a command; where a number is needed, a text is taken for one.

-- How long a grant lasts that its node has not asked for in this moment: the node may be frozen. Milliseconds.
local DIRECT_LEASE = '2000'
-- How many tokens such a grant holds.
local DIRECT_BLOCK = '32'
-- How long `fence` is kept after the time that its value stands for. Milliseconds.
local FENCE_TTL = '86400000'
-- How long the queue is kept after the last lease in it, at least. Milliseconds.
local QUEUE_TTL = '60000'


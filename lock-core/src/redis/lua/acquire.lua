-- Asks for a key. Follows verbs.lua.
--
-- ARGV[3] ticket   of this attempt
-- ARGV[4] lease    milliseconds
-- ARGV[5] wait     1: queue when the key is busy
-- ARGV[6] block    how many fencing tokens are wanted
-- Reply: {granted, first token, block, lease in ms, others queue 0/1, now in µs}
--     or {busy, remaining lease of the owner in ms, now in µs}

return acquire(ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]))

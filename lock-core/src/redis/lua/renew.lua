-- Extends the leases of many keys, as far as they are still owned. A lease is never shortened.
--
-- KEYS[i]          owner key
-- ARGV[2 * i - 1]  ticket
-- ARGV[2 * i]      lease in milliseconds
-- Reply: for each key 1 when it is still owned, else 0

local held = {}
for i, key in ipairs(KEYS) do
  -- A key of another type is nobody's lock, and must not fail the others.
  if redis.pcall('GET', key) == ARGV[2 * i - 1] then
    if redis.call('PTTL', key) < tonumber(ARGV[2 * i]) then
      redis.call('PEXPIRE', key, ARGV[2 * i])
    end
    held[i] = 1
  else
    held[i] = 0
  end
end
return held

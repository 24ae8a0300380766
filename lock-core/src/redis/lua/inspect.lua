-- Says who owns a key.
--
-- KEYS[1], [2], [3]   owner, waiters and fence, as in common.lua
-- Reply: {owner's ticket, remaining lease in ms, how many queue, last token or 0, now in µs}
--     or {} when nobody owns it

local owner = redis.call('GET', KEYS[1])
if not owner then
  return {}
end
local time = redis.call('TIME')
return {
  owner,
  redis.call('PTTL', KEYS[1]),
  redis.call('ZCARD', KEYS[2]),
  tonumber(redis.call('GET', KEYS[3]) or '0'),
  time[1] * 1000000 + time[2]
}

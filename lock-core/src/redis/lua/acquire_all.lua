-- Takes several keys at once, or none of them.
--
-- KEYS[3 * i - 2], [3 * i - 1], [3 * i]   owner, waiters and fence of the i-th key, as in common.lua
-- ARGV[1] block                           how many fencing tokens are wanted
-- ARGV[2 * i], [2 * i + 1]                ticket and lease in ms for the i-th key
-- Reply: {granted, first token, block, now in µs}, the same tokens for every key
--     or {busy}

local BLOCK = tonumber(ARGV[1])
local count = #KEYS / 3

for i = 1, count do
  local owner = redis.call('GET', KEYS[3 * i - 2])
  -- Our own ticket: the reply was lost and the command sent again.
  local taken = owner and owner ~= ARGV[2 * i]
  if taken or (not owner and redis.call('EXISTS', KEYS[3 * i - 1]) == 1) then
    return {'busy'}
  end
end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local token = now
for i = 1, count do
  token = math.max(token, tonumber(redis.call('GET', KEYS[3 * i]) or '0') + 1)
end
local last = token + BLOCK - 1
local keep = 86400000 + math.ceil((last - now) / 1000)
for i = 1, count do
  redis.call('SET', KEYS[3 * i], string.format('%.0f', last), 'PX', string.format('%.0f', keep))
  -- A late copy of the owner's own request does not shorten the lease that it relies on.
  local lease = math.max(tonumber(ARGV[2 * i + 1]), redis.call('PTTL', KEYS[3 * i - 2]))
  redis.call('SET', KEYS[3 * i - 2], ARGV[2 * i], 'PX', lease)
end
return {'granted', token, BLOCK, now}

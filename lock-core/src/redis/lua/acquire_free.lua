-- The short way of an acquire: nobody owns the key and nobody queues. Comes before common.lua and acquire.lua, which see
-- to everything else; keys, arguments and reply are theirs.

if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4], 'NX') then
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local token, block = now, tonumber(ARGV[6])
  -- Writes the new value and reads the old one at once; only when the old one is ahead of the clock, write again.
  local last = redis.call('SET', KEYS[3], string.format('%.0f', token + block - 1), 'PX', 86400000, 'GET')
  if last and tonumber(last) >= token then
    token = tonumber(last) + 1
    local keep = 86400000 + math.ceil((token + block - now) / 1000)
    redis.call('SET', KEYS[3], string.format('%.0f', token + block - 1), 'PX', string.format('%.0f', keep))
  end
  return {'granted', token, block, tonumber(ARGV[4]), 0, now}
end


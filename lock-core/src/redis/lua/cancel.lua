-- Leaves the queue; when the ticket was granted meanwhile, gives the key back. Follows common.lua.
--
-- ARGV[3] ticket
-- ARGV[4] lease    milliseconds, as asked for
-- Reply: {released} or {left}

local TICKET, LEASE = ARGV[3], ARGV[4]

redis.call('ZREM', WAITERS, TICKET .. '|' .. LEASE)
if redis.call('GET', OWNER) ~= TICKET then
  return {'left'}
end
if not pass_on('') then
  redis.call('DEL', OWNER)
end
return {'released'}

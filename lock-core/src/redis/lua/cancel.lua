-- Leaves the queue; when the ticket was granted meanwhile, gives the key back. Follows common.lua.
--
-- ARGV[3] ticket
-- ARGV[4] lease    milliseconds, as asked for
-- Reply: {released} or {left}

local TICKET, LEASE = ARGV[3], ARGV[4]

redis.call('ZREM', WAITERS, TICKET .. '|' .. LEASE)
local owner = redis.call('GET', OWNER)
if owner and owner ~= TICKET then
  return {'left'}
end
-- Also when the lease of whoever owned the key has run out: those who queue need not wait until one of them asks.
if not pass_on('') and owner then
  redis.call('DEL', OWNER)
end
return {owner and 'released' or 'left'}

-- Asks for a key. Follows common.lua.
--
-- ARGV[3] ticket   of this attempt
-- ARGV[4] lease    milliseconds
-- ARGV[5] wait     1: queue when the key is busy
-- ARGV[6] block    how many fencing tokens are wanted
-- Reply: {granted, first token, block, lease in ms, others queue 0/1, now in µs}
--     or {busy, remaining lease of the owner in ms, now in µs}

local TICKET, LEASE, WAIT, BLOCK = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])

local owner = redis.call('GET', OWNER)
if not owner then
  -- The owner's lease may have run out while others queue: they come first.
  owner = pass_on(TICKET) or TICKET
end
if owner == TICKET then
  -- New, or granted before and the reply was lost: the tokens are fresh either way.
  local token = next_token()
  own(TICKET, LEASE, token, BLOCK)
  return granted(token, BLOCK, tonumber(LEASE))
end
if WAIT == '1' then
  enqueue(TICKET, LEASE)
  publish(owner, 'wanted', NAME, owner)
end
return busy()

-- Gives a key back to the longest-queued node that is alive. Follows common.lua.
--
-- ARGV[3] ticket           that owns the key
-- ARGV[4] requeue ticket   to put at the queue's end in the same step, or empty
-- ARGV[5] requeue lease    milliseconds
-- ARGV[6] requeue block    how many fencing tokens are wanted
-- Reply: {lost}       the ticket does not own the key; if nobody does, the queue was helped along
--     or {released}
--     or, for the requeued ticket, the reply of acquire.lua

local TICKET, REQUEUE, LEASE, BLOCK = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])

local owner = redis.call('GET', OWNER)
if owner ~= TICKET then
  if not owner then
    -- The lease had run out: those who queue need not wait until one of them asks.
    pass_on('')
  end
  return {'lost'}
end
if REQUEUE == '' then
  if not pass_on('') then
    redis.call('DEL', OWNER)
  end
  return {'released'}
end
enqueue(REQUEUE, LEASE)
if pass_on(REQUEUE) == REQUEUE then
  local token = next_token()
  own(REQUEUE, LEASE, token, BLOCK)
  return granted(token, BLOCK, tonumber(LEASE))
end
return busy()

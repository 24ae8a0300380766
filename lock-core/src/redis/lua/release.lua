-- Gives a key back to the longest-queued node that is alive. Follows verbs.lua.
--
-- ARGV[3] ticket           that owns the key
-- ARGV[4] requeue ticket   to put at the queue's end in the same step, or empty
-- ARGV[5] requeue lease    milliseconds
-- ARGV[6] requeue block    how many fencing tokens are wanted
-- Reply: {lost}       the ticket does not own the key; if nobody does, the queue was helped along
--     or {released}
--     or, for the requeued ticket, the reply of acquire.lua

if ARGV[4] == '' then
  return {release(ARGV[3]) and 'released' or 'lost'}
end
return requeue(ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])) or {'lost'}

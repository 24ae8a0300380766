-- Gives several keys back and asks for several, in one call. Follows verbs.lua.
--
-- KEYS[3 * i - 2], [3 * i - 1], [3 * i]   owner, waiters and fence of the i-th key, as in common.lua; no key twice
-- ARGV[2] prefix                          length in bytes of what stands before the key as the nodes know it
-- ARGV[3] lease                           milliseconds, for all that are asked for
-- ARGV[4] wait                            1: queue for those that are busy
-- ARGV[5] block                           how many fencing tokens are wanted for each
-- ARGV[3 * i + 3] old                     ticket that gives the i-th key back, or empty
-- ARGV[3 * i + 4] new                     ticket that asks for it after that, or empty
-- ARGV[3 * i + 5] last                    the last token that `old` has left, if `new` may go on with them; or empty. If
--                                         `fence` is another one, somebody else was given tokens since, and it may not
-- Reply: {now in µs or 0, answers …}: for each key, in this order,
--     if it is given back: 1, or 0 when the ticket did not own it
--     if it is asked for: the first token, when it is granted and nobody queues, or 0 when `new` goes on with the tokens of
--     `old`; else the reply of acquire.lua

local PREFIX, LEASE, WAIT, BLOCK = tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])

-- A key of another type fails here, before anything is changed.
for i = 1, #KEYS, 3 do
  redis.call('GET', KEYS[i])
end

local answers = {now}
for i = 1, #KEYS / 3 do
  local old, new = ARGV[3 * i + 3], ARGV[3 * i + 4]
  OWNER, WAITERS, FENCE = KEYS[3 * i - 2], KEYS[3 * i - 1], KEYS[3 * i]
  NAME = string.sub(OWNER, PREFIX + 1)
  local answer
  if old ~= '' and new ~= '' and WAIT == '1' then
    -- In one step, so that whoever is next is told that somebody queues.
    answer = requeue(old, new, LEASE, BLOCK)
    answers[#answers + 1] = answer and 1 or 0
  elseif old ~= '' then
    answers[#answers + 1] = release(old) and 1 or 0
  end
  if new ~= '' then
    answers[#answers + 1] = answer or acquire(new, LEASE, WAIT, BLOCK)
  end
end
return answers

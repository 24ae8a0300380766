-- What may be done with a key. Follows common.lua; comes before acquire.lua, release.lua or batch.lua.

-- Asks for the key. Answers {granted, first token, block, lease in ms, others queue 0/1, now in µs}
-- or {busy, remaining lease of the owner in ms, now in µs}.
local function acquire(ticket, lease, wait, block)
  local owner = redis.call('GET', OWNER)
  if not owner then
    -- The owner's lease may have run out while others queue: they come first.
    owner = pass_on(ticket) or ticket
  end
  if owner == ticket then
    -- New, or granted before and the reply was lost: the tokens are fresh either way.
    local token = next_token()
    own(ticket, lease, token, block)
    return granted(token, block, tonumber(lease))
  end
  if wait == '1' then
    enqueue(ticket, lease)
    publish(owner, 'wanted', NAME, owner)
  end
  return busy()
end

-- Gives the key back to the longest-queued node that is alive. Answers whether the ticket owned it.
local function release(ticket)
  local owner = redis.call('GET', OWNER)
  if owner == ticket then
    if not pass_on('') then
      redis.call('DEL', OWNER)
    end
    return true
  end
  if not owner then
    -- The lease had run out: those who queue need not wait until one of them asks.
    pass_on('')
  end
  return false
end

-- The same, and puts another ticket at the queue's end. Answers what acquire does for that ticket, or nil when the
-- first one did not own the key; then nothing is queued.
local function requeue(ticket, next, lease, block)
  if redis.call('GET', OWNER) ~= ticket then
    release(ticket)
    return nil
  end
  enqueue(next, lease)
  if pass_on(next) == next then
    local token = next_token()
    own(next, lease, token, block)
    return granted(token, block, tonumber(lease))
  end
  return busy()
end


-- Shared by the scripts that may change the owner of a key. Each of them is sent with limits.lua,
-- publish.lua or publish_sharded.lua, and this text in front.
--
-- KEYS[1] owner     the owner's ticket, `node:attempt`; expires with the lease
-- KEYS[2] waiters   sorted set of `ticket|lease in ms`, by time of arrival
-- KEYS[3] fence     the last fencing token handed out
-- ARGV[2] name      the key as the nodes know it, without the prefix of this server

local OWNER, WAITERS, FENCE = KEYS[1], KEYS[2], KEYS[3]
local NAME = ARGV[2]

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- Answers how many listen: a node that does not is gone.
local function publish(ticket, verb, ...)
  local node = string.match(ticket, '^(%x+):%d+$')
  return node and tell(node, verb, table.concat({verb, ...}, '\n')) or 0
end

local function digits(number)
  return string.format('%.0f', number)
end

-- Tokens follow the clock, so that they go on growing when `fence` is lost.
local function next_token()
  return math.max(tonumber(redis.call('GET', FENCE) or '0') + 1, now)
end

-- A late copy of the owner's own request does not shorten the lease that it relies on.
local function own(ticket, lease, token, block)
  if redis.call('GET', OWNER) == ticket then
    lease = math.max(tonumber(lease), redis.call('PTTL', OWNER))
  end
  local last = token + block - 1
  redis.call('SET', FENCE, digits(last), 'PX', digits(FENCE_TTL + math.ceil((last - now) / 1000)))
  redis.call('SET', OWNER, ticket, 'PX', lease)
end

-- The place behind everybody who queues: the time, unless the clock was set back since the last of them came.
local function last_place()
  local last = redis.call('ZREVRANGE', WAITERS, 0, 0, 'WITHSCORES')[2]
  return math.max(now, (tonumber(last) or 0) + 1)
end

-- Joins the queue, keeping the place if this ticket has one. A live waiter asks again before the set expires.
local function enqueue(ticket, lease)
  redis.call('ZADD', WAITERS, 'NX', digits(last_place()), ticket .. '|' .. lease)
  local owned = math.max(redis.call('PTTL', OWNER), 0)
  local keep = owned + tonumber(lease) + QUEUE_TTL
  if redis.call('PTTL', WAITERS) < keep then
    redis.call('PEXPIRE', WAITERS, digits(keep))
  end
end

-- Makes the longest-queued ticket the owner and tells its node. A node without a subscriber is gone and is skipped.
-- When `own_ticket` comes first it is only taken out of the queue: its node gets the grant as the reply.
-- Answers the ticket that is next, or nil.
local function pass_on(own_ticket)
  while true do
    local head = redis.call('ZPOPMIN', WAITERS)[1]
    if not head then
      return nil
    end
    local ticket, lease = string.match(head, '^(.*)|(%d+)$')
    if ticket == own_ticket then
      return ticket
    end
    if ticket then
      local granted = math.min(tonumber(lease), DIRECT_LEASE)
      local token = next_token()
      local wanted = redis.call('EXISTS', WAITERS)
      if publish(ticket, 'granted', NAME, ticket, digits(token), DIRECT_BLOCK, granted, wanted, digits(now)) > 0 then
        own(ticket, granted, token, DIRECT_BLOCK)
        return ticket
      end
    end
  end
end

local function granted(token, block, lease)
  return {'granted', token, block, lease, redis.call('EXISTS', WAITERS), now}
end

local function busy()
  local remaining = redis.call('PTTL', OWNER)
  if remaining < 0 then
    -- A value without a lease was not put there by a script: look again in a second.
    remaining = 1000
  end
  return {'busy', remaining, now}
end

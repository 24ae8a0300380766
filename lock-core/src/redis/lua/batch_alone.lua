-- The short ways of a batch: its one key is given back by its owner. Comes after publish.lua and before batch_quiet.lua,
-- which sees to everything else; keys and arguments are those of batch.lua.
--
-- Most hand-overs between nodes go this way, while somebody waits: so there are as few calls, and as few numbers that become
-- texts, as can be. What differs from common.lua is only that.
--
-- Reply: 1           given back; if it is asked for again, `new` goes on with the tokens of `old`
--     or 'now lease' in µs and ms: handed over to the longest-queued node, for so long; if it is asked for again, `new` queues

if #KEYS == 3 and ARGV[6] ~= '' and redis.call('GET', KEYS[1]) == ARGV[6] then
  local call, owner, waiters, new = redis.call, KEYS[1], KEYS[2], ARGV[7]
  local kept = call('PTTL', waiters)
  -- There is no such key: nobody queues.
  if kept == -2 then
    if new == '' then
      call('DEL', owner)
      return 1
    end
    if ARGV[8] ~= '' and call('GET', KEYS[3]) == ARGV[8] then
      call('SET', owner, new, 'PX', ARGV[3])
      return 1
    end
  elseif new == '' or ARGV[4] == '1' then
    local time = call('TIME')
    local now = time[1] * 1000000 + time[2]
    local text = string.format('%.0f', now)
    if new ~= '' then
      -- Behind everybody who queues, as in common.lua.
      local place, last = text, call('ZREVRANGE', waiters, 0, 0, 'WITHSCORES')[2]
      if last and tonumber(last) >= now then
        place = string.format('%.0f', last + 1)
      end
      call('ZADD', waiters, 'NX', place, new .. '|' .. ARGV[3])
    end
    local ticket, node, lease = string.match(call('ZPOPMIN', waiters)[1] or '', '^((%x+):%d+)|(%d+)$')
    -- What is taken out of the queue here and not granted is a dead node's ticket, or `new` itself: batch.lua goes on with
    -- those that are left, and lets `new` queue again.
    if ticket and ticket ~= new then
      -- Writes the new fence and reads the old one at once; only when the old one is ahead of the clock, write again.
      local token = text
      local last = call('SET', KEYS[3], string.format('%.0f', now + DIRECT_BLOCK - 1), 'PX', FENCE_TTL, 'GET')
      if last and tonumber(last) >= now then
        last = last + DIRECT_BLOCK
        token = string.format('%.0f', last - DIRECT_BLOCK + 1)
        local keep = FENCE_TTL + math.ceil((last - now) / 1000)
        call('SET', KEYS[3], string.format('%.0f', last), 'PX', string.format('%.0f', keep))
      end
      if lease - DIRECT_LEASE > 0 then
        lease = DIRECT_LEASE
      end
      local wanted = new ~= '' and 1 or call('EXISTS', waiters)
      local name = string.sub(owner, ARGV[2] + 1)
      local fields = {'granted', name, ticket, token, DIRECT_BLOCK, lease, wanted, text}
      if tell(node, 'granted', table.concat(fields, '\n')) > 0 then
        call('SET', owner, ticket, 'PX', lease)
        if new ~= '' then
          -- A live waiter asks again before the set expires. Seldom, since it is kept for longer than needed.
          local keep = ARGV[3] + QUEUE_TTL
          if kept < keep then
            call('PEXPIRE', waiters, string.format('%.0f', keep + QUEUE_TTL))
          end
        end
        return text .. ' ' .. lease
      end
    end
  end
end


-- The short way of a batch: nobody queues for any of its keys, and all that are asked for are free. Comes before
-- common.lua, verbs.lua and batch.lua, which see to everything else; keys, arguments and reply are theirs.
--
-- Each call of a command costs about as much as all else that is done for a key, and a number that becomes a text a third
-- of that, so what can be is done for all keys at once.

local function quiet()
  local call, owners, queues, count = redis.call, {}, {}, #KEYS / 3
  for i = 1, count do
    owners[i], queues[i] = KEYS[3 * i - 2], KEYS[3 * i - 1]
  end
  if call('EXISTS', unpack(queues)) > 0 then
    return nil
  end
  local held, goes_on, fences = call('MGET', unpack(owners)), {}, nil
  for i = 1, count do
    local owner = held[i]
    if owner and ARGV[3 * i + 4] ~= '' then
      if owner ~= ARGV[3 * i + 3] or owner == '' then
        return nil
      end
      if ARGV[3 * i + 5] ~= '' then
        fences = fences or {}
        fences[#fences + 1], goes_on[#goes_on + 1] = KEYS[3 * i], i
      end
    end
  end
  if fences then
    fences = call('MGET', unpack(fences))
    local keys = goes_on
    goes_on = {}
    for position, i in ipairs(keys) do
      goes_on[i] = fences[position] == ARGV[3 * i + 5]
    end
  end

  local now, ahead, tokens, fence = 0, ARGV[5] - 1, {}, nil
  -- First whatever fails when a key is of another type, before any owner has changed. A fence that was raised for nothing
  -- does no harm.
  for i = 1, count do
    if goes_on[i] then
      tokens[i] = 0
    elseif ARGV[3 * i + 4] ~= '' then
      if not fence then
        local time = call('TIME')
        now = time[1] * 1000000 + time[2]
        fence = string.format('%.0f', now + ahead)
      end
      -- Writes the new value and reads the old one at once; only when the old one is ahead of the clock, write again.
      local token = now
      local last = call('SET', KEYS[3 * i], fence, 'PX', '86400000', 'GET')
      if last and tonumber(last) >= now then
        token = last + 1
        local keep = 86400000 + math.ceil((token + ahead - now) / 1000)
        call('SET', KEYS[3 * i], string.format('%.0f', token + ahead), 'PX', keep)
      end
      tokens[i] = token
    end
  end
  -- A key of another type looks like a free one.
  for i = 1, count do
    if tokens[i] and not held[i] and not call('SET', owners[i], ARGV[3 * i + 4], 'PX', ARGV[3], 'NX') then
      return nil
    end
  end

  local reply, said, free = {now}, 1, nil
  for i = 1, count do
    local old = ARGV[3 * i + 3]
    if old ~= '' then
      said = said + 1
      reply[said] = held[i] == old and 1 or 0
    end
    if tokens[i] then
      if held[i] then
        call('SET', owners[i], ARGV[3 * i + 4], 'PX', ARGV[3])
      end
      said = said + 1
      reply[said] = tokens[i]
    elseif held[i] == old then
      free = free or {}
      free[#free + 1] = owners[i]
    end
  end
  if free then
    call('DEL', unpack(free))
  end
  return reply
end

local reply = quiet()
if reply then
  return reply
end


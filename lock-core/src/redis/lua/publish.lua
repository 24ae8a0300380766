-- How nodes are told something, on one server. Comes before common.lua.
--
-- ARGV[1] channel   prefix of the channel of a node; the node's id follows

-- Answers how many listen: a node that does not is gone.
local function publish(ticket, ...)
  local node = string.match(ticket, '^(%x+):%d+$')
  return node and redis.call('PUBLISH', ARGV[1] .. node, table.concat({...}, '\n')) or 0
end


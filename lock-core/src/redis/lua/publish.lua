-- How nodes are told something, on one server. Comes after limits.lua.
--
-- ARGV[1] channel   prefix of the channel of a node; the node's id follows

-- Answers how many listen: a node that does not is gone.
local function tell(node, _, message)
  return redis.call('PUBLISH', ARGV[1] .. node, message)
end


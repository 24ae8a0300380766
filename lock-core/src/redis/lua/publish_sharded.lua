-- How nodes are told something, in a cluster. Comes after limits.lua.
--
-- ARGV[1] channel   `{tag}` with the slot of the keys, and then the prefix of the channel of a node; the node's id follows

-- Answers how many listen: a node that waits in this slot and does not is gone.
local function tell(node, verb, message)
  local heard = redis.call('SPUBLISH', ARGV[1] .. node, message)
  if heard == 0 and verb == 'wanted' then
    -- An owner that did not have to wait does not listen in this slot, but on a channel of its own at any node.
    redis.call('PUBLISH', string.match(ARGV[1], '^{%d+}(.*)$') .. node, message)
  end
  return heard
end


-- The short way of a release: nobody queues. Comes before common.lua and release.lua, which see to everything else; keys,
-- arguments and reply are theirs.

if ARGV[4] == '' and redis.call('EXISTS', KEYS[2]) == 0 then
  if redis.call('GET', KEYS[1]) ~= ARGV[3] then
    return {'lost'}
  end
  redis.call('DEL', KEYS[1])
  return {'released'}
end


-- KEYS: key. ARGV: mark, value, milliseconds it lasts. Reply: 1 when the mark still stood there, else 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1

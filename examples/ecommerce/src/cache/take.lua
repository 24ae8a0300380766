-- KEYS: key. ARGV: mark, milliseconds it lasts. Reply: what stands at the key; false when the mark was put there.
local stands = redis.call('GET', KEYS[1])
if stands then return stands end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false

-- kept_delivery(id, attempts): storage has the delivery as it was after so many tries. Outcome: ok | changed (it has been
-- tried since).
if (redis.call('HGET', delivery_key(ARGV[1]), 'attempts') or ARGV[2]) ~= ARGV[2] then return {'changed', {}} end
redis.call('SREM', UNKEPT, ARGV[1])
return {'ok', {}}

-- restore_delivery(id, webhook, field, value, ...): take a delivery over from storage, unless Redis has it. One that waits is
-- due when it was, or at once. Outcome: restored | same | missing (there is no such webhook).
local id, hook = ARGV[1], ARGV[2]
if not get('webhook', hook, 'status') then return {'missing', {}} end
local key, made = delivery_key(id), string.sub(id, 5) -- dlv-<when it was made, in us>
if redis.call('EXISTS', key) == 1 then return {'same', {}} end
for i = 3, #ARGV, 2 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
redis.call('ZADD', deliveries_of(hook), made, id)
redis.call('SET', 'ty:deliveries:last', whole(math.max(tonumber(made), tonumber(redis.call('GET', 'ty:deliveries:last') or '0'))))
if redis.call('HGET', key, 'state') == 'waiting' then
  redis.call('ZADD', due_of(hook), whole(tonumber(argument(3, 'due_at') or '0') * 1000), id)
  if redis.call('EXISTS', busy_key(hook)) == 0 then wait_for_next(hook) end
end
return {'restored', {}}

-- forget(kind, id, seconds): remove a record that waits for no work. For so many seconds it is remembered that it
-- was removed. Outcome: ok | missing.
local kind, id = ARGV[1], ARGV[2]
local status = get(kind, id, 'status')
if not status then return {'missing', {}} end
if kind == 'webhook' then
  for _, delivery in ipairs(redis.call('ZRANGE', deliveries_of(id), 0, -1)) do drop_delivery(id, delivery) end
  redis.call('DEL', busy_key(id))
  redis.call('ZREM', DUE, id)
end
forget_record(kind, id, status, ARGV[3])
return {'ok', {}}

-- settle_delivery(id, state, wait_ms, field, value, ...): what came of a try. One that is `waiting` is tried again
-- after so many ms. Outcome: ok | missing.
local id, state = ARGV[1], ARGV[2]
local key = delivery_key(id)
local hook = redis.call('HGET', key, 'webhook_id')
if not hook then return {'missing', {}} end
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', key, ARGV[i]) else redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
end
redis.call('HINCRBY', key, 'attempts', 1)
redis.call('SADD', UNKEPT, id)
redis.call('HSET', key, 'state', state, 'tried_at', seconds(now_us()))
if state == 'waiting' then
  local due = now_us() / 1000 + tonumber(ARGV[3])
  redis.call('ZADD', due_of(hook), whole(due), id)
  redis.call('HSET', key, 'due_at', seconds(due * 1000))
else
  redis.call('ZREM', due_of(hook), id)
  redis.call('HDEL', key, 'due_at')
end
if redis.call('GET', busy_key(hook)) == id then redis.call('DEL', busy_key(hook)) end
if redis.call('EXISTS', busy_key(hook)) == 0 then wait_for_next(hook) end
return {'ok', {}}

-- restore(kind, id, waiting, working, grace_s, field, value, ...): take a record over from storage, unless Redis
-- knows one of the same or a higher revision. One that waited waits again. One that was worked on waits too,
-- before those that had not begun: its holder, if it lives, takes it up again with its next renewal (see
-- renew), and nobody else may claim anything before the grace is over. One that its present holder works on
-- by Redis as well stays with it. A finishing run is worked on where it has an owner. Outcome: restored (storage holds
-- this revision) | interrupted (restored, and waiting in a revision that storage does not hold yet) | same | ahead (Redis
-- is) | removed (by a client, lately) | unaccepted (its submission never came as far as Redis).
local kind, id, waiting, working = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local key = key_of(kind, id)
local known = redis.call('HMGET', key, 'revision', 'status', 'fence', 'owner')
local revision, status = tonumber(argument(6, 'revision')), argument(6, 'status')
if known[1] and tonumber(known[1]) == revision then return {'same', {}} end
if known[1] and tonumber(known[1]) > revision then return {'ahead', {}} end
if not known[1] and revision == 0 then return {'unaccepted', {}} end
if not known[1] and redis.call('EXISTS', key .. ':removed') == 1 then return {'removed', {}} end
local owner = argument(6, 'owner')
local is_worked_on = status == working or status == FINISHING and owner ~= ''
local is_held_still = is_worked_on and known[2] == status
  and known[3] == argument(6, 'fence') and known[4] == owner
if known[1] then
  leave_indexes(kind, id, known[2])
  dequeue(kind, id)
  if not is_held_still then end_lease(kind, id) end
  redis.call('DEL', key)
end
set_fields(kind, id, 6)
redis.call('HDEL', key, 'status')
local score = string.format('%.0f', tonumber(get(kind, id, 'created_at')) * 1000000)
redis.call('ZADD', 'ty:' .. kind .. ':by:all', score, id)
redis.call('ZADD', 'ty:' .. kind .. ':by:project:' .. get(kind, id, 'project'), score, id)
redis.call('SET', 'ty:clock', string.format('%.0f', math.max(tonumber(score), tonumber(redis.call('GET', 'ty:clock') or '0'))))
if kind == 'model' then enter_versions(id, score) end
if is_worked_on and not is_held_still then
  redis.call('HDEL', key, 'owner', 'started_at')
  redis.call('HSET', key, 'lost_owner', owner)
  wait_for_holders(ARGV[5])
  enter_status(kind, id, status == FINISHING and FINISHING or waiting)
  enqueue_interrupted(kind, id)
  if kind == 'run' and get(kind, id, 'status') ~= status then tell_webhooks(id, status, get(kind, id, 'status')) end
  return {'interrupted', {}}
end
redis.call('HSET', key, 'revision', revision - 1)
enter_status(kind, id, status)
if waits(kind, id, waiting) then enqueue(kind, id) end
redis.call('SREM', 'ty:unmirrored:' .. kind, id)
return {'restored', {}}

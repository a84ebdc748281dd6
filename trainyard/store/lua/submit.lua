-- submit(kind, id, status, field, value, ...): create the record, index it and put it in its queue.
-- Idempotent on the id: an existing record is left alone. Creation times are unique and grow, so that
-- they order and page lists. Outcome: created | exists | no_dataset (of a run: its set has been removed).
local kind, id, status = ARGV[1], ARGV[2], ARGV[3]
if redis.call('EXISTS', key_of(kind, id)) == 1 then return answer('exists', kind, id) end
if kind == 'run' and redis.call('EXISTS', key_of('dataset', argument(4, 'dataset_id')) .. ':removed') == 1 then
  return {'no_dataset', {}}
end
local us = math.max(now_us(), tonumber(redis.call('GET', 'ty:clock') or '0') + 1)
local score = string.format('%.0f', us)
redis.call('SET', 'ty:clock', score)
set_fields(kind, id, 4)
redis.call('DEL', key_of(kind, id) .. ':removed') -- a key that is used again makes the same id anew
redis.call('HSET', key_of(kind, id), 'created_at', seconds(us), 'revision', 0, 'fence', 0)
redis.call('ZADD', 'ty:' .. kind .. ':by:all', score, id)
redis.call('ZADD', 'ty:' .. kind .. ':by:project:' .. get(kind, id, 'project'), score, id)
redis.call('HDEL', key_of(kind, id), 'status')
enter_status(kind, id, status)
enqueue(kind, id)
return answer('created', kind, id)

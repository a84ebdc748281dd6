-- register_model(id, stage, field, value, ...): create the record of a trained model under the next version of its
-- name. Idempotent on the id. Outcome: created | exists | rebuilding (not all versions are known again yet).
local id, stage = ARGV[1], ARGV[2]
if redis.call('EXISTS', key_of('model', id)) == 1 then return answer('exists', 'model', id) end
if redis.call('EXISTS', 'ty:rebuilding') == 1 then return {'rebuilding', {}} end
local us = math.max(now_us(), tonumber(redis.call('GET', 'ty:clock') or '0') + 1)
local score = string.format('%.0f', us)
redis.call('SET', 'ty:clock', score)
set_fields('model', id, 3)
redis.call('DEL', key_of('model', id) .. ':removed') -- the same export registered again is the same model
redis.call('HSET', key_of('model', id), 'created_at', seconds(us), 'revision', 0, 'version', next_version(id))
redis.call('ZADD', 'ty:model:by:all', score, id)
redis.call('ZADD', 'ty:model:by:project:' .. get('model', id, 'project'), score, id)
redis.call('ZADD', versions_index(id), score, id)
redis.call('HDEL', key_of('model', id), 'status')
enter_status('model', id, stage)
return answer('created', 'model', id)

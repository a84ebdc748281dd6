-- register_model(id, stage, field, value, ...): create the record of a trained model under the next version of its
-- name. Idempotent on the id. Outcome: created | exists | rebuilding (not all versions are known again yet).
local id, stage = ARGV[1], ARGV[2]
if redis.call('EXISTS', key_of('model', id)) == 1 then return answer('exists', 'model', id) end
if redis.call('EXISTS', 'ty:rebuilding') == 1 then return {'rebuilding', {}} end
local score = create_record('model', id, 3)
redis.call('HSET', key_of('model', id), 'version', next_version(id))
redis.call('ZADD', versions_index(id), score, id)
enter_status('model', id, stage)
return answer('created', 'model', id)

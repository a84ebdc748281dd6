-- edit_model(id, stage, field, value, ...): a client changes descriptive fields, and the stage where one is given.
-- A version that enters production takes the place of the one of its name that was there, which is archived.
-- Outcome: ok | missing.
local id, stage = ARGV[1], ARGV[2]
local present = get('model', id, 'status')
if not present then return {'missing', {}} end
set_fields('model', id, 3)
if stage == '' or stage == present then
  bump('model', id)
  return answer('ok', 'model', id)
end
if stage == 'production' then
  local project = get('model', id, 'project')
  for _, other in ipairs(redis.call('ZRANGE', versions_index(id), 0, -1)) do
    local h = redis.call('HMGET', key_of('model', other), 'status', 'project')
    if h[1] == stage and h[2] == project then enter_status('model', other, 'archived') end
  end
end
enter_status('model', id, stage)
return answer('ok', 'model', id)

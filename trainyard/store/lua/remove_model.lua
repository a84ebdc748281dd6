-- remove_model(id, seconds): forget a trained model that is not in production. For so many seconds it is remembered
-- that it was removed. Outcome: ok | missing | in_use.
local id = ARGV[1]
local status = get('model', id, 'status')
if not status then return {'missing', {}} end
if status == 'production' then return {'in_use', {}} end
forget_record('model', id, status, ARGV[2])
return {'ok', {}}

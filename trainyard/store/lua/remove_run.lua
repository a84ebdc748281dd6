-- remove_run(id, seconds): forget a run that has ended, with its signals, progress and events. For so many
-- seconds it is remembered that it was removed, so that neither a late writer nor its folder brings it back.
-- Outcome: ok (also where it was removed before) | missing | refused (it has not ended).
local id = ARGV[1]
local key = key_of('run', id)
local status = get('run', id, 'status')
if not status then return {redis.call('EXISTS', key .. ':removed') == 1 and 'ok' or 'missing', {}} end
if is_active(status) then return answer('refused', 'run', id) end
leave_indexes('run', id, status)
redis.call('DEL', key, key .. ':signals', key .. ':progress', key .. ':events')
redis.call('SREM', 'ty:unmirrored:run', id)
redis.call('SET', key .. ':removed', 1, 'EX', ARGV[2])
return {'ok', {}}

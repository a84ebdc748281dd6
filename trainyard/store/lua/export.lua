-- export(id, spec): have what a trained run owes written anew, by its spec with other wishes for its exported files.
-- Nothing is trained; one that failed when that was written is finished so. Asked for again while the run is
-- finished because of it, it changes nothing.
-- Outcome: queued (just now) | ok (asked for before) | missing | no_dataset | refused (it is not completed).
local id, spec = ARGV[1], ARGV[2]
local status = get('run', id, 'status')
if not status then return {'missing', {}} end
if is_active(status) then
  local is_same = get('run', id, 'reopened_by') == 'export' and get('run', id, 'spec') == spec
  return answer(is_same and 'ok' or 'refused', 'run', id)
end
if status ~= 'completed' and not has_failed_to_finish(id) then return answer('refused', 'run', id) end
if not has_dataset(id) then return answer('no_dataset', 'run', id) end
redis.call('HSET', key_of('run', id), 'spec', spec)
reopen_run(id, 'export', FINISHING)
return answer('queued', 'run', id)

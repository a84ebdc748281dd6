-- resume(id, epochs): put an ended run that has kept its work back in its queue, to go on from there; with
-- another epoch target where `epochs` is not empty. What was wished of it before is forgotten, its crashes
-- are forgiven. Asked for again while the run waits or trains because of it, it changes nothing.
-- Outcome: queued (just now) | ok (asked for before) | missing | no_dataset | reached (completed, and the
-- target asked for is not above the epochs done) | refused (cancelled, or it waits or trains anyway).
local id, epochs = ARGV[1], ARGV[2]
local status = get('run', id, 'status')
if not status then return {'missing', {}} end
if status == 'queued' or status == 'running' then
  local is_same = get('run', id, 'reopened_by') == 'resume' and (epochs == '' or epochs == get('run', id, 'epochs'))
  return answer(is_same and 'ok' or 'refused', 'run', id)
end
if status == 'cancelled' then return answer('refused', 'run', id) end
if status == 'completed' and (tonumber(epochs) or 0) <= tonumber(get('run', id, 'epoch')) then
  return answer('reached', 'run', id)
end
if not has_dataset(id) then return answer('no_dataset', 'run', id) end
if epochs ~= '' then redis.call('HSET', key_of('run', id), 'epochs', epochs) end
reopen_run(id, 'resume')
return answer('queued', 'run', id)

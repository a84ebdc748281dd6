-- resume(id, epochs): put an ended run that has kept its work back in its queue, to go on from there; with
-- another epoch target where `epochs` is not empty. What was wished of it before is forgotten, its crashes
-- are forgiven. One that failed when it was trained is only finished again, unless there is more to train now.
-- Asked for again while the run waits or is worked on because of it, it changes nothing.
-- Outcome: queued (just now) | ok (asked for before) | missing | no_dataset | reached (completed, and the
-- target asked for is not above the epochs done) | refused (cancelled, or it waits or trains anyway).
local id, epochs = ARGV[1], ARGV[2]
local status = get('run', id, 'status')
if not status then return {'missing', {}} end
if is_active(status) then
  local is_same = get('run', id, 'reopened_by') == 'resume' and (epochs == '' or epochs == get('run', id, 'epochs'))
  return answer(is_same and 'ok' or 'refused', 'run', id)
end
if status == 'cancelled' then return answer('refused', 'run', id) end
if status == 'completed' and (tonumber(epochs) or 0) <= tonumber(get('run', id, 'epoch')) then
  return answer('reached', 'run', id)
end
if not has_dataset(id) then return answer('no_dataset', 'run', id) end
if epochs ~= '' then redis.call('HSET', key_of('run', id), 'epochs', epochs) end
local has_more = (tonumber(epochs) or 0) > tonumber(get('run', id, 'epoch'))
reopen_run(id, 'resume', has_failed_to_finish(id) and not has_more and FINISHING or 'queued')
return answer('queued', 'run', id)

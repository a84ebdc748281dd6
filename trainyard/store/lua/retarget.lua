-- retarget(id, epochs): change a run's epoch target. While it trains the new target is also left as a
-- signal with a new version; the same target twice keeps its version.
-- Outcome: ok | signalled | missing | refused (it has ended).
local id, epochs = ARGV[1], ARGV[2]
local status = get('run', id, 'status')
if not status then return {'missing', {}} end
if status ~= 'queued' and status ~= 'running' then return answer('refused', 'run', id) end
if get('run', id, 'epochs') ~= epochs then
  redis.call('HSET', key_of('run', id), 'epochs', epochs)
  bump('run', id)
  local signals = key_of('run', id) .. ':signals'
  redis.call('HSET', signals, 'epochs', epochs)
  redis.call('HINCRBY', signals, 'epochs_version', 1)
end
return answer(status == 'running' and 'signalled' or 'ok', 'run', id)

-- retarget(id, epochs): change a run's epoch target. While it trains the new target is also left as a
-- signal with a new version; the same target twice keeps its version. A finishing run that is given more epochs than
-- it has done trains on: it goes back to its queue, first of all, and whoever writes its results has lost it.
-- Outcome: ok | signalled | reopened (it trains on) | missing | refused (it has ended, or is trained to that target).
local id, epochs = ARGV[1], ARGV[2]
local key, status = key_of('run', id), get('run', id, 'status')
if not status then return {'missing', {}} end
local trains_on = status == FINISHING and tonumber(epochs) > tonumber(get('run', id, 'epoch'))
if status ~= 'queued' and status ~= 'running' and not trains_on then return answer('refused', 'run', id) end
if get('run', id, 'epochs') ~= epochs then
  redis.call('HSET', key, 'epochs', epochs)
  bump('run', id)
  redis.call('HSET', key .. ':signals', 'epochs', epochs)
  redis.call('HINCRBY', key .. ':signals', 'epochs_version', 1)
end
if trains_on then
  redis.call('HDEL', key .. ':signals', 'stop') -- it came too late, and must not end what begins now
  dequeue('run', id)
  end_lease('run', id)
  end_attempt('run', id, 'retargeted')
  -- Without `lost_owner`, by which a holder whom Redis forgot would have it back (see renew).
  redis.call('HDEL', key, 'owner', 'lost_owner', 'started_at', 'result')
  redis.call('DEL', key .. ':progress')
  enter_status('run', id, 'queued')
  enqueue_interrupted('run', id)
  return answer('reopened', 'run', id)
end
return answer(status == 'running' and 'signalled' or 'ok', 'run', id)

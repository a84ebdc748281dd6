-- stop(id, when): ask a run to stop. One that is still queued ends here and now. For one that trains the
-- wish is left beside the record with a new version; the same wish twice keeps its version, and `now`
-- replaces `epoch` but not the reverse. Outcome: ended (just now) | ok (stopped
-- before) | signalled | missing | refused (it has ended otherwise, or its training has).
local id, when = ARGV[1], ARGV[2]
local status = get('run', id, 'status')
if not status then return {'missing', {}} end
if status == 'stopped' then return answer('ok', 'run', id) end
if status == 'queued' then
  dequeue('run', id)
  enter_status('run', id, 'stopped')
  redis.call('HSET', key_of('run', id), 'ended_at', seconds(now_us()))
  return answer('ended', 'run', id)
end
if status ~= 'running' then return answer('refused', 'run', id) end
local signals = key_of('run', id) .. ':signals'
local pending = redis.call('HGET', signals, 'stop')
if pending ~= 'now' and pending ~= when then
  redis.call('HSET', signals, 'stop', when)
  redis.call('HINCRBY', signals, 'stop_version', 1)
end
return answer('signalled', 'run', id)

-- settle(id, status, field, value, ...): a run that waits for its data set enters the status, with the fields
-- changed: `queued` for a worker from now on, or `failed` where no run can come of it.
-- Outcome: ok | missing | changed (it does not wait for its data set any more).
local id, status = ARGV[1], ARGV[2]
if not get('run', id, 'status') then return {'missing', {}} end
if get('run', id, 'status') ~= 'queued' or not awaits_dataset('run', id) then return answer('changed', 'run', id) end
dequeue('run', id)
set_fields('run', id, 3)
enter_status('run', id, status)
if status == 'queued' then
  enqueue('run', id)
else
  redis.call('HSET', key_of('run', id), 'ended_at', seconds(now_us()))
end
return answer('ok', 'run', id)

-- retry(id): put a failed run back in its queue, to begin afresh: no checkpoint is its any more, and its
-- next attempt clears what the earlier ones left behind. One that failed when it was trained keeps all that, and
-- only its finishing is tried again. Its crashes are forgiven. Asked for again while the run waits or is worked
-- on because of it, it changes nothing.
-- Outcome: queued (just now) | ok (asked for before) | missing | no_dataset | refused (it has not failed).
local id = ARGV[1]
local status = get('run', id, 'status')
if not status then return {'missing', {}} end
if is_active(status) then
  return answer(get('run', id, 'reopened_by') == 'retry' and 'ok' or 'refused', 'run', id)
end
if status ~= 'failed' then return answer('refused', 'run', id) end
if not has_dataset(id) then return answer('no_dataset', 'run', id) end
if has_failed_to_finish(id) then
  reopen_run(id, 'retry', FINISHING)
  return answer('queued', 'run', id)
end
redis.call('HSET', key_of('run', id), 'epoch', 0, 'step', 0, 'used_seconds', 0)
redis.call('HDEL', key_of('run', id), 'checkpoints', 'metrics', 'best_row', 'last_row')
redis.call('DEL', key_of('run', id) .. ':progress')
reopen_run(id, 'retry', 'queued')
return answer('queued', 'run', id)

-- cancel(id): a client throws a run away. One that waits leaves its queue and ends here and now. For one that is
-- worked on the wish is left beside the record; its holder ends it under its fence, and so does whoever else
-- takes it from that holder (end_if_cancelled), so that it never trains again. Idempotent.
-- Outcome: ended (just now) | ok (cancelled before) | signalled | missing | refused (it has ended otherwise).
local id = ARGV[1]
local status = get('run', id, 'status')
if not status then return {'missing', {}} end
if status == 'cancelled' then return answer('ok', 'run', id) end
if not is_active(status) then return answer('refused', 'run', id) end
redis.call('HSET', key_of('run', id) .. ':signals', 'cancel', 1)
if not waits('run', id, 'queued') then return answer('signalled', 'run', id) end
dequeue('run', id)
end_if_cancelled('run', id)
return answer('ended', 'run', id)

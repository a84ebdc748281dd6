-- tell(id, fence, owner, length, event): the holder of a run puts an event (JSON) on the run's stream, which keeps
-- about the newest `length` of them. Followers hear nothing from whoever holds the run no more.
-- Outcome: ok (the pair is the event's id) | lost.
local id = ARGV[1]
if not is_held('run', id, ARGV[2], ARGV[3]) then return {'lost', {}} end
local event_id = redis.call('XADD', key_of('run', id) .. ':events', 'MAXLEN', '~', ARGV[4], '*', 'data', ARGV[5])
return {'ok', {'event_id', event_id}}

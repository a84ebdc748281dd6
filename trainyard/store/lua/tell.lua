-- tell(id, fence, owner, length, kind, event, last): the holder of a run puts an event (JSON) on the run's stream,
-- see add_event. Followers hear nothing from whoever holds the run no more.
-- Outcome: ok (the pair is the event's id) | begins (`last` must be told) | lost.
if not is_held('run', ARGV[1], ARGV[2], ARGV[3]) then return {'lost', {}} end
return add_event(ARGV[1], ARGV[4], ARGV[5], ARGV[6], ARGV[7])

-- append(id, length, kind, event, last): put an event (JSON) on a run's stream, see add_event.
-- Outcome: ok (the pair is the event's id) | begins (`last` must be told).
return add_event(ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])

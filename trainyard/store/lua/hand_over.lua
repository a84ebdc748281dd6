-- hand_over(kind, id, fence, owner, target, waiting, field, value, ...): the holder has trained a run to `target`. From
-- here on the run is finishing: it waits for whoever writes what it owes, and its target stands. Where a client
-- has set another target meanwhile, above the epochs done, it goes back to its queue to train on instead: the
-- change was accepted, and must not be lost. Outcome: ok | lost.
local kind, id = ARGV[1], ARGV[2]
if not is_held(kind, id, ARGV[3], ARGV[4]) then return {'lost', {}} end
local key, wanted = key_of(kind, id), tonumber(get(kind, id, 'epochs'))
if wanted ~= tonumber(ARGV[5]) and wanted > tonumber(argument(7, 'epoch')) then
  redis.call('HSET', key, 'used_seconds', argument(7, 'used_seconds'))
  give_back(kind, id, ARGV[6], 'retargeted')
  return answer('ok', kind, id)
end
end_lease(kind, id)
set_fields(kind, id, 7)
if end_if_cancelled(kind, id) then return answer('ok', kind, id) end
end_attempt(kind, id, 'trained')
redis.call('HDEL', key, 'owner', 'started_at')
redis.call('HSET', key, 'place', seconds(now_us()))
redis.call('DEL', key .. ':progress')
enter_status(kind, id, FINISHING)
enqueue(kind, id)
return answer('ok', kind, id)

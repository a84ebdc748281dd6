-- complete(kind, id, fence, owner, target, waiting, completed, field, value, ...): the holder has trained a run
-- to `target` and written its results. Where a client has set another target meanwhile, above the epochs done,
-- the run goes back to its queue to train on: the change was accepted, and must not be lost.
-- Outcome: ok | lost.
local kind, id = ARGV[1], ARGV[2]
if not is_held(kind, id, ARGV[3], ARGV[4]) then return {'lost', {}} end
local wanted = tonumber(get(kind, id, 'epochs'))
if wanted ~= tonumber(ARGV[5]) and wanted > tonumber(argument(8, 'epoch')) then
  redis.call('HSET', key_of(kind, id), 'used_seconds', argument(8, 'used_seconds'))
  give_back(kind, id, ARGV[6], 'retargeted')
else
  end_work(kind, id, ARGV[7], 8)
end
return answer('ok', kind, id)

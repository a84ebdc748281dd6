-- commit(kind, id, fence, owner, checkpoints, epoch, step): the holder says which files are the record's
-- checkpoints from now on (JSON: name -> file) and how many epochs and steps the last of them holds; the rows
-- of metrics up to there are those of this attempt. A file counts for nothing before its commit, and whoever
-- holds the record no more commits nothing: what an attempt writes after it was given up stays unseen. The
-- same commit twice is as good as once.
-- Outcome: ok | lost.
local kind, id = ARGV[1], ARGV[2]
if not is_held(kind, id, ARGV[3], ARGV[4]) then return {'lost', {}} end
redis.call('HSET', key_of(kind, id), 'checkpoints', ARGV[5], 'epoch', ARGV[6], 'step', ARGV[7],
  'metrics_of', ARGV[3])
bump(kind, id)
return answer('ok', kind, id)

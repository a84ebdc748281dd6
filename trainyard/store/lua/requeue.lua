-- requeue(kind, waiting, from, count): records that wait and are in no queue, because Redis lost a queue's key alone,
-- are put in theirs, and so is a finishing run that has an owner and no lease, for nobody would miss that owner:
-- an older release lets go of a lapsed lease whose status it does not know. Looks at so many of those that wait, by their place `from` 0 on. Idempotent.
-- Outcome: done | more; the pairs are ids with their queue.
local kind, waiting, from, count = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local found = redis.call('ZRANGE', 'ty:' .. kind .. ':by:status:' .. waiting, from, from + count - 1)
local again = {}
for _, id in ipairs(found) do
  local owner = get(kind, id, 'owner')
  if waiting == FINISHING and owner and not redis.call('ZSCORE', leases_of(kind), id) then
    end_attempt(kind, id, 'worker_lost')
    redis.call('HDEL', key_of(kind, id), 'owner', 'started_at')
    redis.call('HSET', key_of(kind, id), 'lost_owner', owner, 'interrupted', 'true')
    bump(kind, id)
  end
  local queue, project = queue_of(kind, id), get(kind, id, 'project')
  if get(kind, id, 'status') == waiting and waits(kind, id, waiting) and queue and project then
    local is_there = redis.call('ZSCORE', 'ty:q:' .. queue, id)
      and redis.call('ZSCORE', of_project(queue, project), id)
      and redis.call('SISMEMBER', 'ty:q:' .. queue .. ':projects', project) == 1
    if not is_there then
      enqueue(kind, id)
      again[#again + 1] = id
      again[#again + 1] = queue
    end
  end
end
return {#found == count and 'more' or 'done', again}

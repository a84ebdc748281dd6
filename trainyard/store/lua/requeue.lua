-- requeue(kind, waiting, from, count): records that wait and are in no queue, because Redis lost a queue's key alone,
-- are put in theirs; looks at so many of those that wait, by their place `from` 0 on. Idempotent.
-- Outcome: done | more; the pairs are ids with their queue.
local kind, waiting, from, count = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local found = redis.call('ZRANGE', 'ty:' .. kind .. ':by:status:' .. waiting, from, from + count - 1)
local again = {}
for _, id in ipairs(found) do
  local h = redis.call('HMGET', key_of(kind, id), 'status', 'queue', 'project')
  if h[1] == waiting and h[2] and h[3] then
    local is_there = redis.call('ZSCORE', 'ty:q:' .. h[2], id)
      and redis.call('ZSCORE', of_project(h[2], h[3]), id)
      and redis.call('SISMEMBER', 'ty:q:' .. h[2] .. ':projects', h[3]) == 1
    if not is_there then
      enqueue(kind, id)
      again[#again + 1] = id
      again[#again + 1] = h[2]
    end
  end
end
return {#found == count and 'more' or 'done', again}

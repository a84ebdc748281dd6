-- remove(id, seconds): forget a data set that no queued or running run needs. For so many seconds it is
-- remembered that it was removed, so that a worker that ingests it knows why it lost it.
-- Outcome: ok | missing | held; for held the pairs are the runs that need it, id -> status.
local id = ARGV[1]
local key = key_of('dataset', id)
local status = get('dataset', id, 'status')
if not status then return {'missing', {}} end
local runs = {}
for _, run in ipairs(redis.call('SMEMBERS', key .. ':runs')) do
  runs[#runs + 1] = run
  runs[#runs + 1] = get('run', run, 'status') or 'unknown'
end
if #runs > 0 then return {'held', runs} end
leave_indexes('dataset', id, status)
dequeue('dataset', id)
end_lease('dataset', id)
redis.call('DEL', key)
redis.call('SREM', 'ty:unmirrored:dataset', id)
redis.call('SET', key .. ':removed', 1, 'EX', ARGV[2])
return {'ok', {}}

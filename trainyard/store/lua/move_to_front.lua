-- front(id): a queued run goes before all others of its project, queue and priority.
-- Outcome: ok | missing | refused (it does not wait).
local id = ARGV[1]
local h = redis.call('HMGET', key_of('run', id), 'queue', 'project', 'status')
if not h[3] then return {'missing', {}} end
local score = redis.call('ZSCORE', of_project(h[1], h[2]), id)
if h[3] ~= 'queued' or not score then return answer('refused', 'run', id) end
local from = band_of(tonumber(score)) * BAND
local first = redis.call('ZRANGEBYSCORE', of_project(h[1], h[2]), string.format('%.0f', from), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
if first[1] ~= id then
  redis.call('HSET', key_of('run', id), 'place', seconds(tonumber(first[2]) - 1 - from + ORIGIN))
  bump('run', id)
  enqueue('run', id)
end
return answer('ok', 'run', id)

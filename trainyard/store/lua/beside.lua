-- beside(id, other, step): a queued run goes right before (step -1) or right after (step 1) another of its project,
-- queue and priority. Those that are in the way make room, by a microsecond each.
-- Outcome: ok | missing | refused (it does not wait) | apart (the other is none of those).
local id, other, step = ARGV[1], ARGV[2], tonumber(ARGV[3])
local h = redis.call('HMGET', key_of('run', id), 'queue', 'project', 'status')
if not h[3] then return {'missing', {}} end
local set = of_project(h[1], h[2])
local score = redis.call('ZSCORE', set, id)
if h[3] ~= 'queued' or not score then return answer('refused', 'run', id) end
local target = redis.call('ZSCORE', set, other)
local band = band_of(tonumber(score))
if other == id or not target or band_of(tonumber(target)) ~= band then return answer('apart', 'run', id) end
if redis.call('ZRANK', set, id) == redis.call('ZRANK', set, other) + step then return answer('ok', 'run', id) end

-- Members with that very score, but for the run that moves.
local function those_at(at)
  local text, found = string.format('%.0f', at), {}
  for _, one in ipairs(redis.call('ZRANGEBYSCORE', set, text, text)) do
    if one ~= id then found[#found + 1] = one end
  end
  return found
end

local at, moving = tonumber(target) + step, {id}
while #moving > 0 do
  local in_the_way = those_at(at)
  for _, one in ipairs(moving) do
    redis.call('HSET', key_of('run', one), 'place', seconds(at - band * BAND + ORIGIN))
    bump('run', one)
    enqueue('run', one)
  end
  at, moving = at + step, in_the_way
end
return answer('ok', 'run', id)

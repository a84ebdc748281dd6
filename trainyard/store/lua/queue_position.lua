-- queue_position(id, limit, grace_s): where a run stands that is queued, or waits for its finishing. Its position counts the claims until its own, were
-- they all made now: runs that their project's limit (`limit` where it has none of its own) holds up come
-- after all others. In a band, the n-th run of a project has its turn when the project has as many in work
-- as now and n more; so a turn is told by that level and then by the score, and the runs of another project
-- that go before are counted, not looked at. Outcome: ok | missing (it does not wait); the pairs are
-- position, own_before (runs of its project that go first), limit of its project (0: none), is_over_limit and
-- must_wait (0 or 1).
local id = ARGV[1]
local queue, project = queue_of('run', id), get('run', id, 'project')
local working = get('run', id, 'status') == FINISHING and FINISHING or 'running'
local found = queue and redis.call('ZSCORE', of_project(queue, project), id)
if not found then return {'missing', {}} end
local score = tonumber(found)
local band = band_of(score)
local from, to = string.format('%.0f', band * BAND), string.format('(%.0f', (band + 1) * BAND)
local running, limit = share_of('run', working, project, ARGV[2])
local rank = redis.call('ZRANK', of_project(queue, project), id)
local level, is_over_limit = running + rank, rank >= limit - running

-- How many runs of a project would go before this one if nothing had limits.
local function ahead(set, in_work)
  local better, same = redis.call('ZCOUNT', set, '-inf', '(' .. from), redis.call('ZCOUNT', set, from, to)
  local index = level - in_work - better
  if index < 0 then return better end
  if index >= same then return better + same end
  local peer = redis.call('ZRANGE', set, better + index, better + index, 'WITHSCORES')
  local theirs = tonumber(peer[2])
  local is_first = theirs < score or theirs == score and peer[1] < id
  return better + index + (is_first and 1 or 0)
end

local position = 1
for _, other in ipairs(redis.call('SMEMBERS', 'ty:q:' .. queue .. ':projects')) do
  local set = of_project(queue, other)
  local in_work, most = share_of('run', working, other, ARGV[2])
  local free = math.max(0, math.min(most - in_work, redis.call('ZCARD', set)))
  local before = ahead(set, in_work)
  position = position + (is_over_limit and free + math.max(0, before - free) or math.min(before, free))
end
return {'ok', {
  'position', position, 'own_before', rank, 'limit', limit == math.huge and 0 or limit,
  'is_over_limit', is_over_limit and 1 or 0, 'must_wait', may_have_forgotten(ARGV[3]) and 1 or 0,
}}

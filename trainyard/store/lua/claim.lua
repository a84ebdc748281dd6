-- claim(kind, queue, owner, waiting, working, lease_ms, grace_s, limit, devices, reads): take the record whose turn it is
-- for this owner: what was interrupted first, then the higher priority, then the project with the fewest records in
-- work, then first come. A project with as many in work as its limit, or as `limit` where it has none of its
-- own (0: no limit), is passed over, and so is a run that wants more than `devices` (0: any number), which
-- waits for a worker that has them. So is what asks for more than the worker's release knows, by `reads` (JSON: the newest
-- version of specs, the options of ingests). The record leaves the queue, enters the status `working`, and its fence
-- grows by one: writes of any earlier attempt are refused from here on. Entries whose record is not waiting
-- are dropped. Outcome: claimed | empty | wait (this Redis may have forgotten that somebody holds what it
-- shows as waiting).
local kind, queue, owner, waiting, working = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if may_have_forgotten(ARGV[7]) then return {'wait', {}} end

-- How many devices a run wants, and the version of its spec. Kept beside the record's own fields, for a spec is long
-- to read; set_fields forgets them with the spec that they are of.
local function wanted_of(id)
  local known = redis.call('HMGET', key_of(kind, id), 'wanted_devices', 'wanted_version')
  if known[1] and known[2] then return tonumber(known[1]), tonumber(known[2]) end
  local spec = decoded(get(kind, id, 'spec'))
  local compute = type(spec.compute) == 'table' and spec.compute or {}
  local devices, version = tonumber(compute.devices) or 1, tonumber(spec.version) or 1
  redis.call('HSET', key_of(kind, id), 'wanted_devices', devices, 'wanted_version', version)
  return devices, version
end

-- Whether the worker's release knows all options of a set. One that is null asks for nothing.
local function knows_options(id, options)
  local known = {}
  for _, name in ipairs(options) do known[name] = true end
  for _, text in ipairs(redis.call('HMGET', key_of(kind, id), 'options', 'change')) do
    for name, value in pairs(decoded(text)) do
      if not known[name] and value ~= cjson.null then return false end
    end
  end
  return true
end

local reads = cjson.decode(ARGV[10])

local function fits(id)
  if kind ~= 'run' then return knows_options(id, reads.options) end
  local most, devices, version = tonumber(ARGV[9]), wanted_of(id)
  return (most == 0 or devices <= most) and version <= reads.spec
end

-- The first record of a project that may be taken, and its score; nil and whether nothing waits without one.
local function first_of(project)
  local place = 0
  while true do
    local first = redis.call('ZRANGE', of_project(queue, project), place, place, 'WITHSCORES')
    local id = first[1]
    if not id then return nil, place == 0 end
    if get(kind, id, 'status') ~= waiting or not waits(kind, id, waiting) then
      redis.call('ZREM', 'ty:q:' .. queue, id)
      redis.call('ZREM', of_project(queue, project), id)
      if queue == FINISH_QUEUE then end_wait(queue, id, false) end
    elseif fits(id) then
      return id, tonumber(first[2])
    else
      place = place + 1
    end
  end
end

local function goes_before(a, b)
  for i = 1, 4 do
    if a[i] ~= b[i] then return a[i] < b[i] end
  end
end

local best
for _, project in ipairs(redis.call('SMEMBERS', 'ty:q:' .. queue .. ':projects')) do
  local running, limit = share_of(kind, working, project, ARGV[8])
  local id, score = first_of(project)
  if not id then
    local nothing_waits = score
    if nothing_waits then redis.call('SREM', 'ty:q:' .. queue .. ':projects', project) end
  elseif running < limit then
    local turn = {band_of(score), running, score, id}
    if not best or goes_before(turn, best) then best = turn end
  end
end
if not best then return {'empty', {}} end
local id = best[4]
if queue == FINISH_QUEUE then end_wait(queue, id, true) end
dequeue(kind, id)
enter_status(kind, id, working)
redis.call('HINCRBY', key_of(kind, id), 'fence', 1)
redis.call('HSET', key_of(kind, id), 'owner', owner, 'started_at', seconds(now_us()))
begin_attempt(kind, id, owner)
lease(kind, id, ARGV[6])
return answer('claimed', kind, id)

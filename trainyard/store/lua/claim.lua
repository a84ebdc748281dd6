-- claim(kind, queue, owner, waiting, working, lease_ms, grace_s, limit, devices, reads): take the record whose turn it is
-- for this owner: what was interrupted first, then the higher priority, then the project with the fewest records in
-- work, then first come. A project with as many in work as its limit, or as `limit` where it has none of its
-- own (0: no limit), is passed over, and so is a run that wants more than `devices` (0: any number), which
-- waits for a worker that has them. So is what asks for more than the worker knows, by `reads` (JSON: the newest
-- version of specs and the options of ingests that its release reads, and what its plug-ins offer). The record leaves the queue, enters the status `working`, and its fence
-- grows by one: writes of any earlier attempt are refused from here on. Entries whose record is not waiting
-- are dropped. Outcome: claimed | empty | wait (this Redis may have forgotten that somebody holds what it
-- shows as waiting).
local kind, queue, owner, waiting, working = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if may_have_forgotten(ARGV[7]) then return {'wait', {}} end

local reads = cjson.decode(ARGV[10])
local offered = {}
for _, key in ipairs(reads.plugins) do offered[key] = true end

-- A plug-in's name has a dot, as none of Trainyard's own has.
local function asked_of_plugins(keys, what, name)
  if type(name) == 'string' and string.find(name, '.', 1, true) then keys[#keys + 1] = what .. ' ' .. name end
end

local function part_of(spec, name) return type(spec[name]) == 'table' and spec[name] or {} end

-- What a spec asks of plug-ins, as trainyard/plugins/spec_offers.py tells it.
local function plugins_of(spec)
  local keys, optimization = {}, part_of(spec, 'optimization')
  asked_of_plugins(keys, 'architecture', part_of(spec, 'model').architecture)
  asked_of_plugins(keys, 'optimizer', optimization.optimizer)
  for _, term in ipairs(part_of(optimization, 'losses')) do asked_of_plugins(keys, 'loss', part_of({term = term}, 'term').name) end
  for _, part in ipairs({'early_stopping', 'checkpoints'}) do
    local monitor = part_of(spec, part).monitor
    if type(monitor) == 'string' then asked_of_plugins(keys, 'metric', (string.gsub(monitor, '^val_', '', 1))) end
  end
  return keys
end

-- A number of devices, or the places of some: the last of these must be there.
local function devices_of(asked)
  if type(asked) ~= 'table' then return tonumber(asked) or 1 end
  local needed = 1
  for _, place in ipairs(asked) do needed = math.max(needed, (tonumber(place) or 0) + 1) end
  return needed
end

-- How many devices a run wants, the version of its spec, and what it asks of plug-ins, one in a line. Kept beside the
-- record's own fields, for a spec is long to read; set_fields forgets them with the spec that they are of.
local function wanted_of(id)
  local known = redis.call('HMGET', key_of(kind, id), 'wanted_devices', 'wanted_version', 'wanted_plugins')
  if known[1] and known[2] and known[3] then return tonumber(known[1]), tonumber(known[2]), known[3] end
  local spec = decoded(get(kind, id, 'spec'))
  local devices, version = devices_of(part_of(spec, 'compute').devices), tonumber(spec.version) or 1
  local plugins = table.concat(plugins_of(spec), '\n')
  redis.call('HSET', key_of(kind, id), 'wanted_devices', devices, 'wanted_version', version, 'wanted_plugins', plugins)
  return devices, version, plugins
end

local function are_offered(plugins)
  for key in string.gmatch(plugins, '[^\n]+') do
    if not offered[key] then return false end
  end
  return true
end

-- Whether the worker knows all options of a set. One that is null asks for nothing.
local function knows_options(id, options)
  local known = {}
  for _, name in ipairs(options) do known[name] = true end
  for _, text in ipairs(redis.call('HMGET', key_of(kind, id), 'options', 'change')) do
    for name, value in pairs(decoded(text)) do
      if not known[name] and value ~= cjson.null then return false end
      local keys = {}
      if name == 'format' then asked_of_plugins(keys, 'format', value) end
      if keys[1] and not offered[keys[1]] then return false end
    end
  end
  return true
end

local function fits(id)
  if kind ~= 'run' then return knows_options(id, reads.options) end
  local most, devices, version, plugins = tonumber(ARGV[9]), wanted_of(id)
  return (most == 0 or devices <= most) and version <= reads.spec and are_offered(plugins)
end

-- The first record of a project that may be taken, and its score. What waits no more leaves the queue.
local changed = {}

local function first_of(project)
  local place = 0
  while true do
    local first = redis.call('ZRANGE', of_project(queue, project), place, place, 'WITHSCORES')
    local id = first[1]
    if not id then return nil end
    if get(kind, id, 'status') ~= waiting or not waits(kind, id, waiting) then
      redis.call('ZREM', 'ty:q:' .. queue, id)
      redis.call('ZREM', of_project(queue, project), id)
      if queue == FINISH_QUEUE then end_wait(queue, id, false) end
      changed[project] = true
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
  return false
end

-- A queue that an older release, or a Redis that lost this key alone, has left without it.
local projects = 'ty:q:' .. queue .. ':projects'
if redis.call('ZCARD', heads_of(queue)) ~= redis.call('SCARD', projects) then
  redis.call('DEL', heads_of(queue))
  for _, project in ipairs(redis.call('SMEMBERS', projects)) do update_head(queue, project) end
end

-- Projects in the order of their first records: no turn of a project, or of one after it, is before that of its first
-- record with nothing in work. So the walk ends soon after those that have something in work.
local CHUNK = 32

local function next_turn()
  local best, place = nil, 0
  while true do
    local found = redis.call('ZRANGE', heads_of(queue), place, place + CHUNK - 1, 'WITHSCORES')
    for i = 1, #found, 2 do
      local project, head = found[i], tonumber(found[i + 1])
      if best and not goes_before({band_of(head), 0, head, ''}, best) then return best end
      local running, limit = share_of(kind, working, project, ARGV[8])
      local id, score
      if running < limit then id, score = first_of(project) end
      local turn = id and {band_of(score), running, score, id}
      if turn and (not best or goes_before(turn, best)) then best = turn end
    end
    if #found < 2 * CHUNK then return best end
    place = place + CHUNK
  end
end

local best = next_turn()
for project in pairs(changed) do update_head(queue, project) end
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

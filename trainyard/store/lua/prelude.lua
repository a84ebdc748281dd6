-- Shared by all scripts. Redis runs a script alone and whole: each is one atomic transition.
-- Every script answers {outcome, record as field/value pairs}.

local function now_us()
  local t = redis.call('TIME')
  return t[1] * 1000000 + t[2]
end

-- A time in seconds as text; Lua's own tostring would cut it to 14 digits.
local function seconds(us) return string.format('%.6f', us / 1000000) end

local function key_of(kind, id) return 'ty:' .. kind .. ':' .. id end

local function get(kind, id, field) return redis.call('HGET', key_of(kind, id), field) end

local function answer(outcome, kind, id)
  return {outcome, redis.call('HGETALL', key_of(kind, id))}
end

-- The indexes that change with the status.
local function status_indexes(kind, id, status)
  local by = 'ty:' .. kind .. ':by:'
  return by .. 'status:' .. status, by .. 'both:' .. status .. ':' .. get(kind, id, 'project')
end

-- A run needs its data set from its submission to its end; remove.lua asks who does.
local function hold_dataset(id, status)
  local holders = key_of('dataset', get('run', id, 'dataset_id')) .. ':runs'
  local needs = status == 'queued' or status == 'running'
  redis.call(needs and 'SADD' or 'SREM', holders, id)
end

local function enter_status(kind, id, status)
  local key = key_of(kind, id)
  local old = redis.call('HGET', key, 'status')
  local score = string.format('%.0f', tonumber(redis.call('HGET', key, 'created_at')) * 1000000)
  if old then
    local a, b = status_indexes(kind, id, old)
    redis.call('ZREM', a, id)
    redis.call('ZREM', b, id)
  end
  local a, b = status_indexes(kind, id, status)
  redis.call('ZADD', a, score, id)
  redis.call('ZADD', b, score, id)
  redis.call('HSET', key, 'status', status)
  redis.call('HINCRBY', key, 'revision', 1)
  if kind == 'run' then hold_dataset(id, status) end
end

-- Higher priority first, then first come: the creation time in µs, and a priority step of 25 years, which
-- a double still holds exactly.
local function enqueue(kind, id)
  local h = redis.call('HMGET', key_of(kind, id), 'queue', 'priority', 'created_at')
  local place = tonumber(h[3]) * 1e6 - tonumber(h[2]) * 8e14
  redis.call('ZADD', 'ty:q:' .. h[1], string.format('%.0f', place), id)
end

-- Whether this attempt still holds the record: the fence grows with every claim.
local function is_held(kind, id, fence, owner)
  local h = redis.call('HMGET', key_of(kind, id), 'fence', 'owner')
  return h[1] == fence and h[2] == owner
end

-- ARGV from `first` on are field/value pairs of the record; an empty value removes the field.
local function set_fields(kind, id, first)
  for i = first, #ARGV, 2 do
    if ARGV[i + 1] == '' then
      redis.call('HDEL', key_of(kind, id), ARGV[i])
    else
      redis.call('HSET', key_of(kind, id), ARGV[i], ARGV[i + 1])
    end
  end
end

-- The value of one of the field/value pairs that begin at ARGV[first].
local function argument(first, field)
  for i = first, #ARGV, 2 do
    if ARGV[i] == field then return ARGV[i + 1] end
  end
end

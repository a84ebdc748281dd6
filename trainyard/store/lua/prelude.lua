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

-- Higher priority first, within it those that had begun, then first come: the creation time in µs, half a
-- priority step for having begun, and a priority step of 25 years, which a double still holds exactly.
local function enqueue(kind, id)
  local h = redis.call('HMGET', key_of(kind, id), 'queue', 'priority', 'created_at')
  local place = tonumber(h[3]) * 1e6 - tonumber(h[2]) * 8e14
  if tonumber(redis.call('HGET', key_of(kind, id), 'fence')) > 0 then place = place - 4e14 end
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

local function leases_of(kind) return 'ty:leases:' .. kind end

local function lease(kind, id, ms)
  local us = now_us()
  redis.call('ZADD', leases_of(kind), string.format('%.0f', us / 1000 + tonumber(ms)), id)
  redis.call('SET', 'ty:lease_clock', string.format('%.0f', us))
end

local function end_lease(kind, id) redis.call('ZREM', leases_of(kind), id) end

-- A run's record tells of its newest attempts, each under its fence: when and where it began, and when and why
-- it ended.
local attempts_kept = 100

local function attempts_of(kind, id)
  return cjson.decode(get(kind, id, 'attempts') or '[]')
end

local function begin_attempt(kind, id, owner)
  if kind ~= 'run' then return end
  local attempts, fence = attempts_of(kind, id), tonumber(get(kind, id, 'fence'))
  attempts[#attempts + 1] = {
    attempt = fence, worker = owner, started_at = now_us() / 1e6,
    from_epoch = tonumber(get(kind, id, 'epoch') or '0'),
  }
  if #attempts > attempts_kept then table.remove(attempts, 1) end
  redis.call('HSET', key_of(kind, id), 'attempts', cjson.encode(attempts))
end

local function end_attempt(kind, id, reason)
  if kind ~= 'run' then return end
  local attempts = attempts_of(kind, id)
  local newest = attempts[#attempts]
  if not newest then return end
  newest.ended_at, newest.reason = now_us() / 1e6, reason
  newest.epochs = math.max(0, tonumber(get(kind, id, 'epoch') or '0') - newest.from_epoch)
  redis.call('HSET', key_of(kind, id), 'attempts', cjson.encode(attempts))
end

-- Put a record whose attempt was lost back in its queue, or end it where that happened too often.
-- Returns the status entered.
local function requeue_or_fail(kind, id, waiting, failed, max_crashes, error)
  local key = key_of(kind, id)
  end_lease(kind, id)
  end_attempt(kind, id, cjson.decode(error).code)
  redis.call('HDEL', key, 'owner')
  if redis.call('HINCRBY', key, 'crashes', 1) >= tonumber(max_crashes) then
    redis.call('HSET', key, 'error', error, 'ended_at', seconds(now_us()))
    -- a data set of which a version is in use keeps it
    local status = redis.call('HEXISTS', key, 'summary') == 1 and 'ready' or failed
    redis.call('HDEL', key, 'change')
    enter_status(kind, id, status)
    return status
  end
  redis.call('HDEL', key, 'started_at')
  enter_status(kind, id, waiting)
  enqueue(kind, id)
  return waiting
end

-- Whether this Redis has started so lately that a holder whose claim it lost with its last writes may not
-- have renewed it yet. A start is known by the server's run_id; the grace counts from the first look at it.
-- None is needed in a store that never saw a start before, nor after a clean stop (written when all leases
-- were given back) that no lease has followed.
local function may_have_forgotten(grace_s)
  local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  local seen = redis.call('HGET', 'ty:server', 'run_id')
  if seen ~= run_id then
    local clean = tonumber(redis.call('GET', 'ty:clean_stop') or '-1')
    local is_clean = not seen or clean >= tonumber(redis.call('GET', 'ty:lease_clock') or '0')
    local wait_until = is_clean and 0 or now_us() + tonumber(grace_s) * 1e6
    redis.call('HSET', 'ty:server', 'run_id', run_id, 'wait_until', string.format('%.0f', wait_until))
  end
  return now_us() < tonumber(redis.call('HGET', 'ty:server', 'wait_until'))
end

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

-- Beside a run's record: what only its lists need, see RUN LISTS below.
local function listed_of(id) return key_of('run', id) .. ':listed' end

-- Runs and webhooks that the present script has changed.
local changed_runs, changed_webhooks = {}, {}

-- The indexes that change with the status.
local function status_indexes(kind, id, status)
  local by = 'ty:' .. kind .. ':by:'
  return by .. 'status:' .. status, by .. 'both:' .. status .. ':' .. get(kind, id, 'project')
end

-- A run that is trained owes its results: it waits in a queue of its own, whatever device it was trained on,
-- until somebody owns it. So this status is two of the others, told by the owner.
local FINISHING, FINISH_QUEUE = 'finishing', 'finish'

local function is_active(status) return status == 'queued' or status == 'running' or status == FINISHING end

-- A run that was accepted before its data set could be used waits in a queue of which nobody claims anything.
local DATASET_QUEUE = 'dataset'

local function has_queue(kind) return kind == 'run' or kind == 'dataset' end

local function awaits_dataset(kind, id) return kind == 'run' and get(kind, id, 'awaits_dataset') == 'true' end

local function queue_of(kind, id)
  local h = redis.call('HMGET', key_of(kind, id), 'status', 'queue')
  if h[1] == FINISHING then return FINISH_QUEUE end
  return awaits_dataset(kind, id) and DATASET_QUEUE or h[2]
end

-- Whether a record waits to be taken; `waiting` is the status in which records of its kind do.
local function waits(kind, id, waiting)
  local h = redis.call('HMGET', key_of(kind, id), 'status', 'owner')
  return h[1] == waiting and h[1] ~= FINISHING or h[1] == FINISHING and not h[2]
end

-- The status in which a record waits when its holder is gone: what is trained is not trained again.
local function waiting_again(kind, id, waiting)
  return get(kind, id, 'status') == FINISHING and FINISHING or waiting
end

-- A run needs its data set from its submission to its end; remove.lua asks who does.
local function hold_dataset(id, status)
  local holders = key_of('dataset', get('run', id, 'dataset_id')) .. ':runs'
  redis.call(is_active(status) and 'SADD' or 'SREM', holders, id)
end

-- STATISTICS: what has been counted since this Redis was made, in one hash. A name is that of the statistic, and
-- its label's value after a bar; a histogram has a count for each bucket (not yet added up) and a sum besides.
local SECONDS = {1, 5, 15, 60, 300, 900, 3600, 14400, 43200, 86400, 259200}

local function count(name, label) redis.call('HINCRBY', 'ty:statistics', name .. '|' .. label, 1) end

local function observe(name, label, value)
  local bucket = '+Inf'
  for _, bound in ipairs(SECONDS) do
    if value <= bound then
      bucket = bound
      break
    end
  end
  count(name .. '|' .. bucket, label)
  redis.call('HINCRBYFLOAT', 'ty:statistics', name .. '|sum|' .. label, string.format('%.3f', value))
end

-- Since when each run waits in its queue.
local function begin_wait(queue, id) redis.call('ZADD', 'ty:run:waiting:' .. queue, 'NX', seconds(now_us()), id) end

-- One that is taken out of its queue to be worked on has waited so long.
local function end_wait(queue, id, is_taken)
  local index = 'ty:run:waiting:' .. queue
  local since = tonumber(redis.call('ZSCORE', index, id) or '')
  if redis.call('ZREM', index, id) == 1 and is_taken then
    observe('run_wait_seconds', queue, math.max(0, now_us() / 1e6 - since))
  end
end

local function note_wait(id, status)
  local queue = get('run', id, 'queue')
  if not queue or awaits_dataset('run', id) then return end
  if status == 'queued' then begin_wait(queue, id) else end_wait(queue, id, status == 'running') end
end

-- A new revision, which storage does not hold yet.
local function bump(kind, id)
  redis.call('HINCRBY', key_of(kind, id), 'revision', 1)
  redis.call('SADD', 'ty:unmirrored:' .. kind, id)
  if kind == 'run' then changed_runs[id] = true end
  if kind == 'webhook' then changed_webhooks[id] = true end
end

local function decoded(text)
  local ok, found = pcall(cjson.decode, text or '')
  return ok and type(found) == 'table' and found or {} -- a script must not break off half way for a broken one
end

-- WEBHOOKS. What is to be sent is made here, with the change that it tells of, and is due until somebody says what came
-- of it. A webhook's log has its newest deliveries.
local DUE, LOGGED = 'ty:webhooks:due', 10000

local function delivery_key(id) return 'ty:delivery:' .. id end

local function deliveries_of(hook) return 'ty:webhook:' .. hook .. ':deliveries' end

-- The deliveries of a webhook that are to be tried, each with its time in ms; the webhook itself is in DUE with that of
-- the first of them, or with the end of the lease of the one that is under way.
local function due_of(hook) return 'ty:webhook:' .. hook .. ':due' end

-- Which of them is under way.
local function busy_key(hook) return 'ty:webhook:' .. hook .. ':busy' end

local function webhooks_of(project) return 'ty:webhooks:of:' .. project end

-- What storage does not have of deliveries as they are now (delivery_log.py).
local UNKEPT = 'ty:deliveries:unkept'

local function drop_delivery(hook, id)
  redis.call('SREM', UNKEPT, id)
  redis.call('ZREM', deliveries_of(hook), id)
  redis.call('ZREM', due_of(hook), id)
  redis.call('DEL', delivery_key(id))
end

local function whole(number) return string.format('%.0f', number) end

local function wait_for_next(hook)
  local first = redis.call('ZRANGE', due_of(hook), 0, 0, 'WITHSCORES')
  if first[1] then redis.call('ZADD', DUE, first[2], hook) else redis.call('ZREM', DUE, hook) end
end

-- A new delivery, of which `data` (JSON) is told; its id.
local function deliver(hook, event, data)
  local us = math.max(now_us(), tonumber(redis.call('GET', 'ty:deliveries:last') or '0') + 1)
  local score = string.format('%.0f', us)
  local id = 'dlv-' .. score
  redis.call('SET', 'ty:deliveries:last', score)
  redis.call('HSET', delivery_key(id), 'id', id, 'webhook_id', hook, 'event', event, 'data', data,
    'created_at', seconds(us), 'state', 'waiting', 'attempts', 0, 'due_at', seconds(us))
  redis.call('ZADD', deliveries_of(hook), score, id)
  redis.call('ZADD', due_of(hook), whole(us / 1000), id)
  redis.call('SADD', UNKEPT, id)
  if redis.call('EXISTS', busy_key(hook)) == 0 then wait_for_next(hook) end
  for _, old in ipairs(redis.call('ZRANGE', deliveries_of(hook), 0, -LOGGED - 1)) do drop_delivery(hook, old) end
  return id
end

local function wants(statuses, status)
  local any = true
  for _, one in ipairs(decoded(statuses)) do
    if one == status then return true end
    any = false
  end
  return any
end

-- What a webhook is told of the error (JSON) of a run: not the end of its log.
local function told_error(text)
  local error = decoded(text)
  if not error.code then return cjson.null end
  return {code = error.code, cause = error.cause, message = error.message, remedy = error.remedy}
end

-- Tell the webhooks of its project that a run has entered a status.
local function tell_webhooks(id, previous, status)
  local project = get('run', id, 'project')
  local hooks = project and redis.call('HGETALL', webhooks_of(project)) or {}
  if #hooks == 0 then return end
  local h = redis.call('HMGET', key_of('run', id), 'name', 'revision', 'epoch', 'epochs', 'dataset_id', 'group', 'error')
  local data = cjson.encode({
    id = id, name = h[1] or cjson.null, status = status, previous_status = previous or cjson.null,
    revision = tonumber(h[2] or '0'), epoch = tonumber(h[3] or '0'), epochs = tonumber(h[4] or '0'),
    dataset_id = h[5] or cjson.null, group = h[6] or cjson.null,
    error = status == 'failed' and told_error(h[7]) or cjson.null,
  })
  for i = 1, #hooks, 2 do
    if wants(hooks[i + 1], status) then deliver(hooks[i], 'run.status', data) end
  end
end

-- A webhook that is active is among those of its project that are told.
local function index_webhook(id)
  local h = redis.call('HMGET', key_of('webhook', id), 'project', 'status', 'statuses')
  if not h[1] then return end
  if h[2] == 'active' then
    redis.call('HSET', webhooks_of(h[1]), id, h[3] or '[]')
  else
    redis.call('HDEL', webhooks_of(h[1]), id)
  end
end

local function leave_webhooks(id)
  redis.call('HDEL', webhooks_of(get('webhook', id, 'project') or ''), id)
end

-- Projects are known by name from the first record on, as long as they have one or somebody has described them.
local function know_project(project) redis.call('ZADD', 'ty:projects', 0, project) end

local function forget_empty_project(project)
  for _, kind in ipairs({'run', 'dataset', 'model', 'draft', 'experiment', 'webhook'}) do
    if redis.call('EXISTS', 'ty:' .. kind .. ':by:project:' .. project) == 1 then return end
  end
  if redis.call('HEXISTS', 'ty:project_descriptions', project) == 0 then redis.call('ZREM', 'ty:projects', project) end
end

local function enter_status(kind, id, status)
  local key = key_of(kind, id)
  know_project(redis.call('HGET', key, 'project'))
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
  bump(kind, id)
  if kind == 'run' then
    hold_dataset(id, status)
    note_wait(id, status)
    if old and old ~= status then tell_webhooks(id, old, status) end
  end
end

-- RUN LISTS. A run is in an index by each thing that lists are filtered by, scored by its creation time, and in
-- one for each thing they are sorted by, scored by that. `keys` beside the record names those it is in; what
-- leaves an index so leaves it whatever the record says by now. `text` is all that a search looks through.
local function leave_lists(id)
  for _, index in ipairs(decoded(redis.call('HGET', listed_of(id), 'keys'))) do redis.call('ZREM', index, id) end
  redis.call('DEL', listed_of(id))
end

local function microseconds(text) return string.format('%.0f', tonumber(text) * 1000000) end

local function enter_lists(id)
  local h = redis.call('HMGET', key_of('run', id),
    'created_at', 'dataset_id', 'group', 'tags', 'started_at', 'ended_at', 'metrics', 'queue', 'status')
  if not tonumber(h[1]) then return end
  local l = redis.call('HMGET', listed_of(id), 'architecture', 'task', 'keys', 'name', 'notes', 'tags', 'group')
  local created, names, found = microseconds(h[1]), {}, {}
  local function enter(index, score)
    redis.call('ZADD', index, score, id)
    names[#names + 1], found[index] = index, true
  end
  for facet, value in pairs({dataset = h[2], group = h[3], architecture = l[1], task = l[2]}) do
    if value then enter('ty:run:by:' .. facet .. ':' .. value, created) end
  end
  if h[8] and h[9] then enter('ty:run:by:queue:' .. h[8] .. ':' .. h[9], created) end
  for _, tag in ipairs(decoded(h[4])) do
    if type(tag) == 'string' then enter('ty:run:by:tag:' .. tag, created) end
  end
  for name, text in pairs({started_at = h[5], ended_at = h[6]}) do
    if tonumber(text or '') then enter('ty:run:sorted:' .. name, microseconds(text)) end
  end
  for metric, summary in pairs(decoded(h[7])) do
    for _, which in ipairs({'best', 'last'}) do
      local value = type(summary) == 'table' and tonumber(summary[which])
      if value and value == value then enter('ty:run:sorted:' .. which .. '.' .. metric, string.format('%.17g', value)) end
    end
  end
  for _, index in ipairs(decoded(l[3])) do
    if not found[index] then redis.call('ZREM', index, id) end
  end
  local text = {}
  for place = 4, 7 do text[#text + 1] = l[place] or nil end
  redis.call('HSET', listed_of(id), 'keys', cjson.encode(names), 'text', table.concat(text, '\n'))
end

-- While releases work side by side, the newer one brings runs into its lists again that the older one has changed.
local function has_older_lists() return tonumber(redis.call('GET', 'ty:lists') or '0') > LISTS_VERSION end

-- Every script ends with this: lists know a run as the script has left it.
local function update_lists()
  local is_older = next(changed_runs) and has_older_lists()
  for id in pairs(changed_runs) do
    enter_lists(id)
    if is_older then redis.call('SADD', 'ty:unlisted', id) end
  end
  for id in pairs(changed_webhooks) do index_webhook(id) end
end

-- TRAINED MODELS have versions, which count up for each name of a project, and a name's are in an index.
local function versions_index(id) return 'ty:model:by:name:' .. (get('model', id, 'name') or '') end

local function version_counter(id)
  return cjson.encode({get('model', id, 'project') or '', get('model', id, 'name') or ''})
end

local function next_version(id) return redis.call('HINCRBY', 'ty:model:versions', version_counter(id), 1) end

-- A version that comes from storage is given to no other one.
local function enter_versions(id, score)
  redis.call('ZADD', versions_index(id), score, id)
  local counter, version = version_counter(id), tonumber(get('model', id, 'version') or '0')
  local last = tonumber(redis.call('HGET', 'ty:model:versions', counter) or '0')
  redis.call('HSET', 'ty:model:versions', counter, string.format('%.0f', math.max(last, version)))
end

-- ARGV from `first` on are field/value pairs of the record, or of what lists need beside it where the field's
-- name begins with `listed:`; an empty value removes the field.
local function set_fields(kind, id, first)
  for i = first, #ARGV, 2 do
    local key, field = key_of(kind, id), ARGV[i]
    if string.sub(field, 1, 7) == 'listed:' then key, field = listed_of(id), string.sub(field, 8) end
    if ARGV[i + 1] == '' then
      redis.call('HDEL', key, field)
    else
      redis.call('HSET', key, field, ARGV[i + 1])
    end
    if field == 'spec' then redis.call('HDEL', key, 'wanted_devices', 'wanted_version', 'wanted_plugins') end -- see claim.lua
  end
end

-- A new record of field/value pairs that begin at ARGV[first], in the indexes that hold whatever its status. Creation
-- times are unique and grow, so that they order and page lists. Returns its place in them.
local function create_record(kind, id, first)
  local key = key_of(kind, id)
  local us = math.max(now_us(), tonumber(redis.call('GET', 'ty:clock') or '0') + 1)
  local score = string.format('%.0f', us)
  redis.call('SET', 'ty:clock', score)
  set_fields(kind, id, first)
  redis.call('DEL', key .. ':removed') -- what is made again has the same id
  redis.call('HSET', key, 'created_at', seconds(us), 'revision', 0)
  redis.call('ZADD', 'ty:' .. kind .. ':by:all', score, id)
  redis.call('ZADD', 'ty:' .. kind .. ':by:project:' .. get(kind, id, 'project'), score, id)
  redis.call('HDEL', key, 'status')
  return score
end

local function leave_indexes(kind, id, status)
  local both, by_status = status_indexes(kind, id, status)
  local by = 'ty:' .. kind .. ':by:'
  for _, index in ipairs({both, by_status, by .. 'all', by .. 'project:' .. get(kind, id, 'project')}) do
    redis.call('ZREM', index, id)
  end
  if kind == 'run' then leave_lists(id) end
  if kind == 'model' then redis.call('ZREM', versions_index(id), id) end
  if kind == 'webhook' then leave_webhooks(id) end
  forget_empty_project(get(kind, id, 'project'))
end

-- For so many seconds it is remembered that it was removed.
local function forget_record(kind, id, status, remembered_s)
  leave_indexes(kind, id, status)
  redis.call('DEL', key_of(kind, id))
  redis.call('SREM', 'ty:unmirrored:' .. kind, id)
  redis.call('SET', key_of(kind, id) .. ':removed', 1, 'EX', remembered_s)
end

-- Turns. A queue is kept whole, and once more by project, so that a turn is found without a look at every
-- record. The score is the same in both and tells the turn within a project, lower first: ten bands of
-- priorities for what was interrupted, ten for the rest, and within a band the time of coming in µs since
-- 2023-11. A band is 28 years wide; 20 of them a double still holds exactly.
local BAND, ORIGIN = 9e14, 1.7e15

local function band_of(score) return math.floor(score / BAND) end

local function of_project(queue, project) return 'ty:q:' .. queue .. ':of:' .. project end

-- The projects of a queue by the score of what is first in each: a turn is found without a look at every project.
local function heads_of(queue) return 'ty:q:' .. queue .. ':heads' end

local function update_head(queue, project)
  local first = redis.call('ZRANGE', of_project(queue, project), 0, 0, 'WITHSCORES')
  if first[1] then
    redis.call('ZADD', heads_of(queue), first[2], project)
    redis.call('SADD', 'ty:q:' .. queue .. ':projects', project)
  else
    redis.call('ZREM', heads_of(queue), project)
    redis.call('SREM', 'ty:q:' .. queue .. ':projects', project)
  end
end

local function enqueue(kind, id)
  local h = redis.call('HMGET', key_of(kind, id), 'project', 'priority', 'interrupted', 'place', 'created_at')
  local queue, project = queue_of(kind, id), h[1]
  local band = (h[3] == 'true' and -10 or 0) + 9 - tonumber(h[2])
  local since_origin = tonumber(h[4] or h[5]) * 1e6 - ORIGIN -- first: the sum must not pass 2^53
  local score = string.format('%.0f', band * BAND + since_origin)
  redis.call('ZADD', 'ty:q:' .. queue, score, id)
  redis.call('ZADD', of_project(queue, project), score, id)
  update_head(queue, project)
  if queue == FINISH_QUEUE then begin_wait(queue, id) end
end

local function enqueue_interrupted(kind, id)
  redis.call('HSET', key_of(kind, id), 'interrupted', 'true')
  enqueue(kind, id)
end

-- Take a record out of its queue, before it enters another status; one that is not in it is left as it is.
local function dequeue(kind, id)
  if not has_queue(kind) then return end
  local queue, project = queue_of(kind, id), get(kind, id, 'project')
  if redis.call('ZREM', 'ty:q:' .. queue, id) == 1 then
    redis.call('HSET', key_of(kind, id), 'interrupted', 'false')
  end
  redis.call('ZREM', of_project(queue, project), id)
  update_head(queue, project)
  if queue == FINISH_QUEUE then end_wait(queue, id, false) end
end

-- How many records of a project are worked on, and how many may be. `default` is for a project without a
-- limit of its own; 0 is none. Limits are for what trains: finishing has none.
local function share_of(kind, working, project, default)
  local running = redis.call('ZCARD', 'ty:' .. kind .. ':by:both:' .. working .. ':' .. project)
  if working == FINISHING then
    return math.max(0, running - redis.call('ZCARD', of_project(FINISH_QUEUE, project))), math.huge
  end
  local limit = tonumber(redis.call('HGET', 'ty:limits:' .. kind, project) or '') or tonumber(default)
  return running, limit > 0 and limit or math.huge
end

-- Whether this attempt still holds the record: the fence grows with every claim.
local function is_held(kind, id, fence, owner)
  local h = redis.call('HMGET', key_of(kind, id), 'fence', 'owner')
  return h[1] == fence and h[2] == owner
end

-- The value of one of the field/value pairs that begin at ARGV[first].
local function argument(first, field)
  for i = first, #ARGV, 2 do
    if ARGV[i] == field then return ARGV[i + 1] end
  end
end

-- Put an event (JSON, with its kind) on a run's stream, which keeps about the newest `length` of them, and on the
-- stream of all runs, which keeps as many. Ids never repeat and always
-- grow, also over a Redis that was emptied and a clock that was set back: a stream that is not there goes on
-- after `last`, the newest id that storage has (0-0: none); an empty `last` asks for it.
local function add_event(id, length, kind, event, last)
  local stream = key_of('run', id) .. ':events'
  if redis.call('EXISTS', stream) == 0 then
    if last == '' then return {'begins', {}} end
    if last ~= '0-0' then redis.call('XDEL', stream, redis.call('XADD', stream, last, 'data', '')) end
  end
  local event_id = redis.call('XADD', stream, 'MAXLEN', '~', length, '*', 'data', event)
  redis.call('XADD', 'ty:events', 'MAXLEN', '~', length, '*',
    'run', id, 'project', get('run', id, 'project') or '', 'kind', kind, 'data', event, 'own', event_id)
  return {'ok', {'event_id', event_id}}
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

local function attempts_of(kind, id) return decoded(get(kind, id, 'attempts')) end

local function begin_attempt(kind, id, owner)
  if kind ~= 'run' then return end
  local attempts, fence = attempts_of(kind, id), tonumber(get(kind, id, 'fence'))
  attempts[#attempts + 1] = {
    attempt = fence, worker = owner, started_at = now_us() / 1e6,
    from_epoch = tonumber(get(kind, id, 'epoch') or '0'), finishing = get(kind, id, 'status') == FINISHING,
  }
  if #attempts > attempts_kept then table.remove(attempts, 1) end
  redis.call('HSET', key_of(kind, id), 'attempts', cjson.encode(attempts))
end

local function end_attempt(kind, id, reason)
  if kind ~= 'run' then return end
  local attempts = attempts_of(kind, id)
  local newest = attempts[#attempts]
  if not newest or (newest.ended_at and newest.ended_at ~= cjson.null) then return end
  newest.ended_at, newest.reason = now_us() / 1e6, reason
  count('attempts_total', tostring(reason))
  newest.epochs = math.max(0, tonumber(get(kind, id, 'epoch') or '0') - newest.from_epoch)
  redis.call('HSET', key_of(kind, id), 'attempts', cjson.encode(attempts))
end

-- End a run that a client cancelled and that nobody holds any more; its results go with it. True where it ended.
local function end_if_cancelled(kind, id)
  local key = key_of(kind, id)
  if kind ~= 'run' or redis.call('HGET', key .. ':signals', 'cancel') ~= '1' then return false end
  end_attempt(kind, id, 'cancelled')
  enter_status(kind, id, 'cancelled')
  redis.call('HSET', key, 'ended_at', seconds(now_us()))
  redis.call('HDEL', key, 'owner', 'result', 'error', 'checkpoints', 'metrics', 'best_row', 'last_row')
  redis.call('DEL', key .. ':progress')
  return true
end

local function has_dataset(run_id)
  return redis.call('EXISTS', key_of('dataset', get('run', run_id, 'dataset_id'))) == 1
end

-- Whether a run has failed when it was trained: its result is there, and what is written of it is not.
local function has_failed_to_finish(id)
  return get('run', id, 'status') == 'failed' and redis.call('HEXISTS', key_of('run', id), 'result') == 1
end

-- Queue an ended run again, to be trained or, trained, to be finished, with nothing left of what was wished of it
-- and of how it ended.
local function reopen_run(id, reopened_by, status)
  local key = key_of('run', id)
  redis.call('HDEL', key .. ':signals', 'stop', 'epochs', 'cancel')
  redis.call('HDEL', key, 'started_at', 'ended_at', 'error')
  if status ~= FINISHING then redis.call('HDEL', key, 'result') end
  redis.call('HSET', key, 'crashes', 0, 'reopened_by', reopened_by, 'place', seconds(now_us()))
  redis.call('PERSIST', key .. ':events')
  enter_status('run', id, status)
  enqueue('run', id)
end

-- A data set of which a version is in use keeps it, and tells with what error (JSON) the change of it ended.
-- False for anything else.
local function refuse_change(kind, id, error)
  local key = key_of(kind, id)
  local summary, change = get(kind, id, 'summary'), get(kind, id, 'change')
  if not summary then return false end
  if change then
    redis.call('HSET', key, 'refused_change', '{"options":' .. change .. ',"error":' .. error
      .. ',"problems":[],"questions":[],"proposed_label_map":null}')
  end
  local ok, found = pcall(cjson.decode, summary)
  local images = ok and type(found) == 'table' and found.images
  if images then redis.call('HSET', key, 'images_done', images, 'images_total', images) end
  redis.call('HDEL', key, 'change', 'error')
  return true
end

-- Put a record whose attempt was lost back in its queue, or end it where that happened too often.
-- Returns the status entered.
local function requeue_or_fail(kind, id, waiting, failed, max_crashes, error)
  local key = key_of(kind, id)
  end_lease(kind, id)
  if kind == 'dataset' then redis.call('HSET', key, 'last_owner', get(kind, id, 'owner') or '') end
  redis.call('HDEL', key, 'owner')
  if end_if_cancelled(kind, id) then return 'cancelled' end
  end_attempt(kind, id, cjson.decode(error).code)
  if redis.call('HINCRBY', key, 'crashes', 1) >= tonumber(max_crashes) then
    redis.call('HSET', key, 'ended_at', seconds(now_us()))
    local status = refuse_change(kind, id, error) and 'ready' or failed
    if status == failed then redis.call('HSET', key, 'error', error) end
    enter_status(kind, id, status)
    return status
  end
  redis.call('HDEL', key, 'started_at')
  local status = waiting_again(kind, id, waiting)
  enter_status(kind, id, status)
  enqueue_interrupted(kind, id)
  return status
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

-- Let nobody claim before holders of whom this Redis does not know have had the time to speak.
local function wait_for_holders(grace_s)
  may_have_forgotten(0)
  local known = tonumber(redis.call('HGET', 'ty:server', 'wait_until'))
  local wait_until = math.max(known, now_us() + tonumber(grace_s) * 1e6)
  redis.call('HSET', 'ty:server', 'wait_until', string.format('%.0f', wait_until))
end

-- The holder puts a record back in its queue; a run that a client has cancelled ends.
local function give_back(kind, id, waiting, reason)
  end_lease(kind, id)
  if end_if_cancelled(kind, id) then return end
  end_attempt(kind, id, reason)
  enter_status(kind, id, waiting_again(kind, id, waiting))
  redis.call('HDEL', key_of(kind, id), 'owner', 'started_at')
  enqueue_interrupted(kind, id)
end

-- The holder ends its work with the field/value pairs that begin at ARGV[first]; a run that a client has
-- cancelled meanwhile ends as cancelled.
local function end_work(kind, id, status, first)
  end_lease(kind, id)
  set_fields(kind, id, first)
  if end_if_cancelled(kind, id) then return end
  local error = argument(first, 'error') or ''
  end_attempt(kind, id, error ~= '' and cjson.decode(error).code or status)
  enter_status(kind, id, status)
  redis.call('HSET', key_of(kind, id), 'ended_at', seconds(now_us()))
  redis.call('HDEL', key_of(kind, id), 'owner')
  if kind == 'run' then observe('run_duration_seconds', status, tonumber(get(kind, id, 'used_seconds') or '0')) end
end

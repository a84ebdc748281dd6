-- select_runs(query): ids of runs in the order asked for, each with its position, from which a later call goes on.
-- The query is JSON:
--   groups     lists of indexes; a run must be in one of each list
--   sort       what orders: an index whose scores are creation times (those of by:all), or one of
--              ty:run:sorted; runs that it lacks come last, newest first
--   is_by_time whether it is the former
--   descending, limit
--   after      a position, absent at the beginning
--   from, to   creation times in µs, both included; absent where they do not matter
--   text       what must be in the id or in the text beside the record, in lower case; absent
--   budget     how many runs may be looked at: nobody else is served meanwhile
-- Outcome: end | full (`limit` were found) | more (the budget is used up; the pair with the empty id has the
-- position to go on from) | rebuilding (not all records are here yet).
if redis.call('EXISTS', 'ty:rebuilding') == 1 then return {'rebuilding', {}} end
local query = cjson.decode(ARGV[1])
local ALL = 'ty:run:by:all'
local VALUED, UNVALUED = 'v', 'u' -- the two parts of a list, as a position names them
local CHUNK = 100
local groups, looked_at, selected = query.groups, 0, {}

-- Scores go into positions as text that gives the same double again, and that an address may hold as it is.
local function position(part, score, id)
  return part .. '~' .. string.gsub(string.format('%.17g', score), '%+', '') .. '~' .. id
end

local function size(group)
  local total = 0
  for _, index in ipairs(group) do total = total + redis.call('ZCARD', index) end
  return total
end

local function smallest_group(may_be_taken)
  local best, best_size
  for place, group in ipairs(groups) do
    if may_be_taken(group) then
      local n = size(group)
      if not best or n < best_size then best, best_size = place, n end
    end
  end
  return best, best_size
end

local function is_in_time(id)
  if not query.from and not query.to then return true end
  local created = tonumber(redis.call('ZSCORE', ALL, id) or '')
  return created and created >= (query.from or 0) and created <= (query.to or math.huge)
end

local function holds_text(id, text)
  if not query.text or string.find(id, query.text, 1, true) then return true end
  text = text or redis.call('HGET', listed_of(id), 'text')
  return text and string.find(text, query.text, 1, true) ~= nil
end

local function fits(id, text)
  for _, group in ipairs(groups) do
    local is_in = false
    for _, index in ipairs(group) do is_in = is_in or redis.call('ZSCORE', index, id) end
    if not is_in then return false end
  end
  return is_in_time(id) and holds_text(id, text)
end

-- The texts of as many runs of an index as one step of a walk looks at, in its order: one command takes a third of the
-- time that one for each run does.
local function texts_of(index, rank, descending)
  if not query.text then return {} end
  return redis.call('SORT', index, 'BY', 'nosort', 'LIMIT', rank, CHUNK, descending and 'DESC' or 'ASC',
    'GET', listed_of('*') .. '->text')
end

local function select(part, score, id)
  selected[#selected + 1] = id
  selected[#selected + 1] = position(part, score, id)
  return #selected >= 2 * query.limit
end

-- Whether (score, id) comes after the position, in the order of one index.
local function is_after(score, id, after, descending)
  if not after then return true end
  if score ~= after.score then return (score < after.score) == descending end
  if id == after.id then return false end
  return (id < after.id) == descending
end

-- Where the part of an index begins that comes after the position.
local function first_rank(index, after, descending)
  if not after then return 0 end
  local score = string.format('%.17g', after.score)
  if tonumber(redis.call('ZSCORE', index, after.id) or '') == after.score then
    return redis.call(descending and 'ZREVRANK' or 'ZRANK', index, after.id) + 1
  end
  if descending then return redis.call('ZCOUNT', index, '(' .. score, '+inf') end
  return redis.call('ZCOUNT', index, '-inf', '(' .. score)
end

-- Go through an index in its order. Returns the outcome where the list is not at its end.
local function walk(index, part, after, descending, is_wanted)
  local rank = first_rank(index, after, descending)
  local last = part == VALUED and query.is_by_time and (descending and query.from or not descending and query.to)
  while true do
    local found = redis.call(descending and 'ZREVRANGE' or 'ZRANGE', index, rank, rank + CHUNK - 1, 'WITHSCORES')
    local texts = texts_of(index, rank, descending)
    for i = 1, #found, 2 do
      local id, score = found[i], tonumber(found[i + 1])
      if last and (descending and score < last or not descending and score > last) then return nil end
      if is_after(score, id, after, descending) then
        looked_at = looked_at + 1
        if is_wanted(id) and fits(id, texts[(i + 1) / 2]) and select(part, score, id) then return 'full' end
        if looked_at >= query.budget then
          selected[#selected + 1] = ''
          selected[#selected + 1] = position(part, score, id)
          return 'more'
        end
      end
    end
    if #found < 2 * CHUNK then return nil end
    rank = rank + CHUNK
  end
end

-- Take a small group whole and sort it, where few of those that an index orders can be wanted.
local function gather(group, after)
  local found, seen = {}, {}
  for _, index in ipairs(group) do
    for _, id in ipairs(redis.call('ZRANGE', index, 0, -1)) do
      if not seen[id] and fits(id) then
        local value = tonumber(redis.call('ZSCORE', query.sort, id) or '')
        local score = value or tonumber(redis.call('ZSCORE', ALL, id) or '0')
        found[#found + 1] = {id = id, part = value and VALUED or UNVALUED, score = score}
      end
      seen[id] = true
    end
  end
  local function goes_before(a, b)
    if a.part ~= b.part then return a.part == VALUED end
    local descending = query.descending or a.part == UNVALUED
    return a ~= b and is_after(b.score, b.id, a, descending)
  end
  table.sort(found, goes_before)
  for _, one in ipairs(found) do
    if (not after or goes_before(after, one)) and select(one.part, one.score, one.id) then return 'full' end
  end
  return 'end'
end

local after
if query.after then
  local part, score, id = string.match(query.after, '^([vu])~([^~]+)~(.*)$')
  if part and tonumber(score) then after = {part = part, score = tonumber(score), id = id} end
end

-- Creation times are the same in all indexes: the shortest one serves as the order.
local sort = query.sort
if query.is_by_time then
  local place = smallest_group(function(group) return #group == 1 end)
  if place then sort = table.remove(groups, place)[1] end
end
local place, few = smallest_group(function() return true end)
-- Walking finds one of `few` among so many; gathering looks at each of them.
if place and few * few <= query.limit * redis.call('ZCARD', sort) and few <= query.budget then
  if sort ~= query.sort then groups[#groups + 1] = {sort} end
  return {gather(groups[place], after), selected}
end

if query.is_by_time and not after then -- begin where the time asked for does
  local first = query.descending and query.to or not query.descending and query.from
  if first then after = {part = VALUED, score = first, id = query.descending and '~' or ''} end
end
local function is_any() return true end
local function is_unvalued(id) return not redis.call('ZSCORE', query.sort, id) end
local outcome
if not after or after.part == VALUED then outcome = walk(sort, VALUED, after, query.descending, is_any) end
if outcome or query.is_by_time or redis.call('ZCARD', query.sort) == redis.call('ZCARD', ALL) then
  return {outcome or 'end', selected}
end
if after and after.part == VALUED then after = nil end
return {walk(ALL, UNVALUED, after, true, is_unvalued) or 'end', selected}

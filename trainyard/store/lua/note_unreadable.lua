-- note_unreadable(kind, id, status, field, value, ...): list a record of which storage has a file that cannot be
-- read, so that it is seen and can be deleted. It waits nowhere; its revision 0 gives way to whatever can be
-- read later. Outcome: noted | known (Redis has the record) | removed (by a client, lately).
local kind, id, status = ARGV[1], ARGV[2], ARGV[3]
local key = key_of(kind, id)
if redis.call('EXISTS', key .. ':removed') == 1 then return {'removed', {}} end
if redis.call('EXISTS', key) == 1 then
  if not get(kind, id, 'unreadable') then return {'known', {}} end
  redis.call('HSET', key, 'unreadable', argument(4, 'unreadable'))
  return {'noted', {}}
end
set_fields(kind, id, 4)
redis.call('HSET', key, 'id', id, 'status', status, 'revision', 0)
local score = string.format('%.0f', tonumber(get(kind, id, 'created_at')) * 1000000)
local by_status, both = status_indexes(kind, id, status)
local by = 'ty:' .. kind .. ':by:'
for _, index in ipairs({by .. 'all', by .. 'project:' .. get(kind, id, 'project'), by_status, both}) do
  redis.call('ZADD', index, score, id)
end
return {'noted', {}}

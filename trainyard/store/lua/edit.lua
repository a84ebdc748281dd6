-- edit(kind, id, field, value, ...): a client changes descriptive fields, in any status. A queued
-- record moves to its new place when its priority changes. Outcome: ok | missing.
local kind, id = ARGV[1], ARGV[2]
if redis.call('EXISTS', key_of(kind, id)) == 0 then return {'missing', {}} end
set_fields(kind, id, 3)
bump(kind, id)
if has_queue(kind) and redis.call('ZSCORE', 'ty:q:' .. queue_of(kind, id), id) then enqueue(kind, id) end
return answer('ok', kind, id)

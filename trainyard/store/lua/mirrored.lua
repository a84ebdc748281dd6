-- mirrored(kind, id, revision): storage holds the record in this revision now. Unless Redis holds a newer one,
-- storage has caught up. Outcome: ok | newer (it must be written again) | missing.
local kind, id = ARGV[1], ARGV[2]
local revision = get(kind, id, 'revision')
if not revision then return {'missing', {}} end
if tonumber(revision) > tonumber(ARGV[3]) then return answer('newer', kind, id) end
redis.call('SREM', 'ty:unmirrored:' .. kind, id)
return {'ok', {}}

-- update(kind, id, fence, owner, field, value, ...): the holder changes fields of its record.
-- Outcome: ok | lost (another attempt holds it, or none).
local kind, id = ARGV[1], ARGV[2]
if not is_held(kind, id, ARGV[3], ARGV[4]) then return {'lost', {}} end
set_fields(kind, id, 5)
bump(kind, id)
return answer('ok', kind, id)

-- finish(kind, id, fence, owner, status, field, value, ...): the holder ends its work on the record. A run that
-- a client has cancelled meanwhile ends as cancelled, whatever it came to.
-- Outcome: ok | lost.
local kind, id = ARGV[1], ARGV[2]
if not is_held(kind, id, ARGV[3], ARGV[4]) then return {'lost', {}} end
end_work(kind, id, ARGV[5], 6)
return answer('ok', kind, id)

-- release(kind, id, fence, owner, waiting, reason): the holder gives the record back to its queue: its worker
-- shuts down, or could not keep its child alive; a run that a client has cancelled ends. Outcome: ok | lost.
local kind, id = ARGV[1], ARGV[2]
if not is_held(kind, id, ARGV[3], ARGV[4]) then return {'lost', {}} end
give_back(kind, id, ARGV[5], ARGV[6])
return answer('ok', kind, id)

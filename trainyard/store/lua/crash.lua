-- crash(kind, id, fence, owner, waiting, failed, max_crashes, error): the holder's work ended without a
-- result and through no fault of the user. It waits again, or fails for good with the error (JSON) when this
-- has happened too often. Outcome: ok | lost.
local kind, id = ARGV[1], ARGV[2]
if not is_held(kind, id, ARGV[3], ARGV[4]) then return {'lost', {}} end
requeue_or_fail(kind, id, ARGV[5], ARGV[6], ARGV[7], ARGV[8])
return answer('ok', kind, id)

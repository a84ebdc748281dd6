-- claim(kind, queue, owner, waiting, working, lease_ms, grace_s): take the first record of the queue for this owner.
-- It leaves the queue, enters the status `working`, and its fence grows by one: writes of any earlier
-- attempt are refused from here on. Entries whose record is not waiting are dropped. Outcome: claimed | empty | wait
-- (this Redis may have forgotten that somebody holds what it shows as waiting).
local kind, queue, owner, waiting, working = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if may_have_forgotten(ARGV[7]) then return {'wait', {}} end
while true do
  local first = redis.call('ZPOPMIN', 'ty:q:' .. queue)
  local id = first[1]
  if not id then return {'empty', {}} end
  if get(kind, id, 'status') == waiting then
    enter_status(kind, id, working)
    redis.call('HINCRBY', key_of(kind, id), 'fence', 1)
    redis.call('HSET', key_of(kind, id), 'owner', owner, 'started_at', seconds(now_us()))
    begin_attempt(kind, id, owner)
    lease(kind, id, ARGV[6])
    return answer('claimed', kind, id)
  end
end

-- renew(kind, id, fence, owner, waiting, working, lease_ms, progress): the holder says that it is alive and,
-- for a run, where it stands (JSON, or empty), and learns in the same round trip what is wished of it. It
-- works on the record in the status `working`. A
-- claim that Redis forgot, because its last writes were lost or all of them (see restore), is put in force
-- again unless somebody newer has the record. Outcome: ok | lost | unknown (there is no such record); for ok the pairs
-- are the signals, not the record.
local kind, id, fence, owner, waiting, working = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if not is_held(kind, id, fence, owner) then
  local h = redis.call('HMGET', key_of(kind, id), 'fence', 'lost_owner')
  if not h[1] then return {'unknown', {}} end
  local forgotten = waits(kind, id, waiting)
    and (tonumber(h[1]) < tonumber(fence) or (h[1] == fence and h[2] == owner))
  if not forgotten then return {'lost', {}} end
  dequeue(kind, id)
  enter_status(kind, id, working)
  redis.call('HSET', key_of(kind, id), 'fence', fence, 'owner', owner, 'started_at', seconds(now_us()))
  begin_attempt(kind, id, owner)
end
lease(kind, id, ARGV[7])
if ARGV[8] ~= '' then redis.call('SET', key_of(kind, id) .. ':progress', ARGV[8]) end
return {'ok', redis.call('HGETALL', key_of(kind, id) .. ':signals')}

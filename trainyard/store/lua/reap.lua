-- reap(kind, waiting, working, failed, max_crashes, grace_s, error): take back what holders gave no sign of
-- life for; it waits again, or fails for good with the error (JSON). Any process may run it at any time.
-- Outcome: ok | wait (Redis may have forgotten claims, whose holders have not spoken yet); the pairs are ids
-- with their new status.
local kind, working = ARGV[1], ARGV[3]
if may_have_forgotten(ARGV[6]) then return {'wait', {}} end
local reaped = {}
local lapsed = redis.call('ZRANGEBYSCORE', leases_of(kind), '-inf', string.format('%.0f', now_us() / 1000), 'LIMIT', 0, 100)
for _, id in ipairs(lapsed) do
  redis.call('ZREM', leases_of(kind), id)
  local status = get(kind, id, 'status')
  if status == working or status == FINISHING then
    reaped[#reaped + 1] = id
    reaped[#reaped + 1] = requeue_or_fail(kind, id, ARGV[2], ARGV[4], ARGV[5], ARGV[7])
  end
end
return {'ok', reaped}

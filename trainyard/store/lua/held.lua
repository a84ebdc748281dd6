-- held(kind, owner, lease_ms): what this owner holds, its lease renewed. A worker that had no answer to its claim learns
-- so whether it was made. Outcome: held | empty.
for _, id in ipairs(redis.call('ZRANGE', leases_of(ARGV[1]), 0, -1)) do
  if get(ARGV[1], id, 'owner') == ARGV[2] then
    lease(ARGV[1], id, ARGV[3])
    return answer('held', ARGV[1], id)
  end
end
return {'empty', {}}

-- held(kind, owner, working, lease_ms): what this owner holds in that status, its lease renewed. A worker that had no
-- answer to its claim learns so whether it was made. Outcome: held | empty.
for _, id in ipairs(redis.call('ZRANGE', leases_of(ARGV[1]), 0, -1)) do
  if get(ARGV[1], id, 'owner') == ARGV[2] and get(ARGV[1], id, 'status') == ARGV[3] then
    lease(ARGV[1], id, ARGV[4])
    return answer('held', ARGV[1], id)
  end
end
return {'empty', {}}

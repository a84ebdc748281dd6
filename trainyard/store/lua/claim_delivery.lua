-- claim_delivery(lease_ms): take the next delivery of the webhook that has been due longest. Of one webhook one delivery
-- at a time is under way, so that a slow receiver holds up no other. Who takes one has so long: then it is due again.
-- Outcome: claimed | none; the pairs are those of the delivery.
local now, lease_ms = now_us() / 1000, tonumber(ARGV[1])
for _, hook in ipairs(redis.call('ZRANGEBYSCORE', DUE, '-inf', whole(now), 'LIMIT', 0, 100)) do
  local status = get('webhook', hook, 'status')
  if not status then
    redis.call('ZREM', DUE, hook)
  elseif status ~= 'active' then
    redis.call('ZADD', DUE, whole(now + 60000), hook) -- it is paused, and may be resumed
  else
    local id = redis.call('ZRANGEBYSCORE', due_of(hook), '-inf', whole(now), 'LIMIT', 0, 1)[1]
    if id then
      redis.call('SET', busy_key(hook), id, 'PX', lease_ms)
      redis.call('ZADD', DUE, whole(now + lease_ms), hook)
      return {'claimed', redis.call('HGETALL', delivery_key(id))}
    end
    wait_for_next(hook)
  end
end
return {'none', {}}

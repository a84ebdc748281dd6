-- claim_delivery(lease_ms): take the delivery to a webhook that has been due longest. Of one webhook one delivery at a
-- time is under way, so that a slow receiver holds up no other. Who takes one has so long: then it is due again.
-- Outcome: claimed | none; the pairs are those of the delivery.
local now, lease_ms = now_us() / 1000, tonumber(ARGV[1])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', DUE, '-inf', string.format('%.0f', now), 'LIMIT', 0, 500)) do
  local hook = redis.call('HGET', delivery_key(id), 'webhook_id')
  local status = hook and get('webhook', hook, 'status')
  if not status then
    redis.call('ZREM', DUE, id)
    redis.call('DEL', delivery_key(id))
  elseif status ~= 'active' then
    redis.call('ZADD', DUE, string.format('%.0f', now + 60000), id) -- it is paused, and may be resumed
  elseif redis.call('SET', busy_key(hook), id, 'NX', 'PX', lease_ms) then
    redis.call('ZADD', DUE, string.format('%.0f', now + lease_ms), id)
    return {'claimed', redis.call('HGETALL', delivery_key(id))}
  end
end
return {'none', {}}

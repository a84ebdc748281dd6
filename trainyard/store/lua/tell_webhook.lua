-- tell_webhook(webhook, event, delivery): a delivery that a client asks for: the event, of nothing, or that of an
-- earlier delivery again. Outcome: ok | missing; the pairs are those of the new delivery.
local hook, event, earlier = ARGV[1], ARGV[2], ARGV[3]
if not get('webhook', hook, 'status') then return {'missing', {}} end
if earlier == '' then return {'ok', redis.call('HGETALL', delivery_key(deliver(hook, event, 'null')))} end
local h = redis.call('HMGET', delivery_key(earlier), 'webhook_id', 'event', 'data')
if h[1] ~= hook then return {'missing', {}} end
local id = deliver(hook, h[2], h[3])
redis.call('HSET', delivery_key(id), 'redelivery_of', earlier)
return {'ok', redis.call('HGETALL', delivery_key(id))}

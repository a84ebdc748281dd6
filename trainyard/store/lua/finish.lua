-- finish(kind, id, fence, owner, status, field, value, ...): the holder ends its work on the record. A run that
-- a client has cancelled meanwhile ends as cancelled, whatever it came to.
-- Outcome: ok | lost.
local kind, id = ARGV[1], ARGV[2]
if not is_held(kind, id, ARGV[3], ARGV[4]) then return {'lost', {}} end
end_lease(kind, id)
set_fields(kind, id, 6)
if end_if_cancelled(kind, id) then return answer('ok', kind, id) end
local error = argument(6, 'error') or ''
end_attempt(kind, id, error ~= '' and cjson.decode(error).code or ARGV[5])
enter_status(kind, id, ARGV[5])
redis.call('HSET', key_of(kind, id), 'ended_at', seconds(now_us()))
redis.call('HDEL', key_of(kind, id), 'owner')
return answer('ok', kind, id)

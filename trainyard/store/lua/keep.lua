-- keep(kind, id, status, field, value, ...): create a record that waits for no work. Idempotent on the id.
-- Outcome: created | exists.
local kind, id, status = ARGV[1], ARGV[2], ARGV[3]
if redis.call('EXISTS', key_of(kind, id)) == 1 then return answer('exists', kind, id) end
create_record(kind, id, 4)
enter_status(kind, id, status)
if kind == 'run' then tell_webhooks(id, nil, status) end
return answer('created', kind, id)

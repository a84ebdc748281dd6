-- submit(kind, id, status, field, value, ...): create the record, index it and put it in its queue.
-- Idempotent on the id: an existing record is left alone. Outcome: created | exists | no_dataset (of a run: its set has been removed).
local kind, id, status = ARGV[1], ARGV[2], ARGV[3]
if redis.call('EXISTS', key_of(kind, id)) == 1 then return answer('exists', kind, id) end
if kind == 'run' and redis.call('EXISTS', key_of('dataset', argument(4, 'dataset_id')) .. ':removed') == 1 then
  return {'no_dataset', {}}
end
create_record(kind, id, 4)
redis.call('HSET', key_of(kind, id), 'fence', 0)
enter_status(kind, id, status)
enqueue(kind, id)
if kind == 'run' then tell_webhooks(id, nil, status) end
return answer('created', kind, id)

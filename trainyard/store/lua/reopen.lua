-- reopen(id, revision, field, value, ...): queue a data set whose ingest has ended for another one, with the
-- fields changed. `revision` is that of the record which the change was made from.
-- Outcome: ok | missing | refused (it waits for its ingest or is ingested) | changed (by somebody else).
local id = ARGV[1]
local status = get('dataset', id, 'status')
if not status then return {'missing', {}} end
if status == 'queued' or status == 'ingesting' then return answer('refused', 'dataset', id) end
if get('dataset', id, 'revision') ~= ARGV[2] then return answer('changed', 'dataset', id) end
set_fields('dataset', id, 3)
redis.call('HDEL', key_of('dataset', id), 'started_at', 'ended_at', 'images_total')
redis.call('HSET', key_of('dataset', id), 'images_done', 0, 'crashes', 0)
enter_status('dataset', id, 'queued')
enqueue('dataset', id)
return answer('ok', 'dataset', id)

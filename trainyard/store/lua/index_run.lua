-- index_run(id, revision, field, value, ...): bring a run, whose record Redis has in this revision, into its lists
-- anew, with what they need beside it. Outcome: ok | changed (another revision is there) | missing.
local id, revision = ARGV[1], get('run', ARGV[1], 'revision')
if revision and revision ~= ARGV[2] then return {'changed', {}} end
redis.call('SREM', 'ty:unlisted', id)
if not revision then return {'missing', {}} end
set_fields('run', id, 3)
changed_runs[id] = true
return {'ok', {}}

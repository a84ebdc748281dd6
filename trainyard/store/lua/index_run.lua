-- index_run(id, revision, field, value, ...): bring a run, whose record Redis has in this revision, into its lists
-- anew, with what they need beside it. Outcome: ok | changed (another revision is there, or none).
local id = ARGV[1]
if get('run', id, 'revision') ~= ARGV[2] then return {'changed', {}} end
set_fields('run', id, 3)
changed_runs[id] = true
return {'ok', {}}

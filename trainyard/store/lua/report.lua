-- report(id, fence, owner, progress): the holder of a run says it is alive and where it stands (JSON, or
-- empty), and learns in the same round trip what is wished of it. Outcome: ok | lost; for ok the pairs are
-- the signals, not the record.
local id = ARGV[1]
if not is_held('run', id, ARGV[2], ARGV[3]) then return {'lost', {}} end
if ARGV[4] ~= '' then redis.call('SET', key_of('run', id) .. ':progress', ARGV[4]) end
return {'ok', redis.call('HGETALL', key_of('run', id) .. ':signals')}

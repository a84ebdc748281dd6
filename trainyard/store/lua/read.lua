-- read(kind, id, revision, id, revision, ...): the records of those that are there. The outcome is a token that changes
-- when this Redis may have lost something, or been filled anew: within it a revision says what a record is. The pairs are
-- ids with the record's hash as JSON, which a client reads many times faster than each field by itself; empty for a record
-- that is still in the revision that is known of it.
local kind, records = ARGV[1], {}
for place = 2, #ARGV, 2 do
  local id, known = ARGV[place], ARGV[place + 1]
  if known ~= '' and get(kind, id, 'revision') == known then
    records[#records + 1], records[#records + 2] = id, ''
  else
    local hash = redis.call('HGETALL', key_of(kind, id))
    if #hash > 0 then records[#records + 1], records[#records + 2] = id, cjson.encode(hash) end
  end
end
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
return {run_id .. ':' .. (redis.call('HGET', 'ty:indexed:spec', 'at') or ''), records}

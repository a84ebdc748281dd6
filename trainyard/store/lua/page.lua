-- page(kind, index, top, limit): records of an index from the score `top` down, newest first. Outcome: the score of
-- the last one where there are more, else nothing, or rebuilding (not all records are here yet); the pairs are ids with the record's hash as JSON: one text is
-- read many times faster by a client than each field by itself.
local kind, limit = ARGV[1], tonumber(ARGV[4])
if redis.call('EXISTS', 'ty:rebuilding') == 1 then return {'rebuilding', {}} end
local found = redis.call('ZREVRANGEBYSCORE', ARGV[2], ARGV[3], '-inf', 'WITHSCORES', 'LIMIT', 0, limit + 1)
local records = {}
for place = 1, math.min(#found, 2 * limit), 2 do
  local hash = redis.call('HGETALL', key_of(kind, found[place]))
  if #hash > 0 then
    records[#records + 1] = found[place]
    records[#records + 1] = cjson.encode(hash)
  end
end
return {found[2 * limit + 1] and found[2 * limit] or '', records}

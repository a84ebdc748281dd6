-- waiting(kind, queue, working, limit, grace_s): what waits in a queue. Outcome: ok | wait (after a start of
-- Redis nothing is given out yet); the pairs are projects with [waiting, in work, limit] as JSON, a limit of 0
-- being none.
local kind, queue = ARGV[1], ARGV[2]
local found = {}
for _, project in ipairs(redis.call('SMEMBERS', 'ty:q:' .. queue .. ':projects')) do
  local running, limit = share_of(kind, ARGV[3], project, ARGV[4])
  local waiting = redis.call('ZCARD', of_project(queue, project))
  found[#found + 1] = project
  found[#found + 1] = cjson.encode({waiting, running, limit == math.huge and 0 or limit})
end
return {may_have_forgotten(ARGV[5]) and 'wait' or 'ok', found}

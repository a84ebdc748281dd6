-- release(kind, id, fence, owner, waiting, reason): the holder gives the record back to its queue: its worker
-- shuts down, or could not keep its child alive; a run that a client has cancelled ends. Outcome: ok | lost.
local kind, id = ARGV[1], ARGV[2]
if not is_held(kind, id, ARGV[3], ARGV[4]) then return {'lost', {}} end
end_lease(kind, id)
if end_if_cancelled(kind, id) then return answer('ok', kind, id) end
end_attempt(kind, id, ARGV[6])
enter_status(kind, id, ARGV[5])
redis.call('HDEL', key_of(kind, id), 'owner', 'started_at')
enqueue_interrupted(kind, id)
return answer('ok', kind, id)

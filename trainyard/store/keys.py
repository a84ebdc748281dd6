"""The whole keyspace of Trainyard in Redis. Nothing outside `trainyard/store` names a key.

ty:clock                        last creation time handed out, in µs: creation times never repeat
ty:<kind>:<id>                  HASH  the record (kind is run, dataset, model, draft, experiment or
                                webhook), one field per attribute, and lost_owner, who held it by storage
                                when it was restored
ty:<kind>:by:all                ZSET  id -> creation time in µs; so for the other indexes
ty:<kind>:by:status:<status>
ty:<kind>:by:project:<project>
ty:<kind>:by:both:<status>:<project>
ty:run:by:<facet>:<value>       ZSET  likewise; facet is dataset, architecture, task, group or tag
ty:run:by:queue:<queue>:<status> ZSET likewise
ty:run:waiting:<queue>          ZSET  id of each run that waits in the queue -> since when, in seconds
ty:statistics                   HASH  counts since this Redis was made, see prelude.lua
ty:run:sorted:<name>            ZSET  id -> what lists of runs are sorted by: started_at or ended_at in µs,
                                best.<metric> or last.<metric>; without runs that have none
ty:run:<id>:listed              HASH  what lists need beside the record: architecture, task, texts in lower
                                case that are searched, and `keys`, the indexes above it is in, JSON
ty:model:by:name:<name>         ZSET  likewise, the versions of that name in all projects
ty:model:versions               HASH  [project, name], JSON -> the last version given out under it
ty:predictions                  LIST  ids of predictions that wait for a worker, the next one at the right
ty:imports                      LIST  likewise of experiments that are to be taken in
ty:prediction:<id>              STRING  what is to be predicted, JSON; gone when nobody waits for it any more
ty:prediction:<id>:answer       LIST  what came of it, JSON, for the one who waits
ty:boards                       HASH  id -> a board that is wanted, JSON
ty:board:<id>:seen              STRING  while somebody has looked at it lately
ty:board:<id>:holder            STRING  id of the worker that runs it
ty:boards:holder                STRING  id of a worker that would run boards, the latest to say so
ty:webhooks:of:<project>        HASH  id of each active webhook -> the statuses that it is told of, JSON
ty:webhook:<id>:deliveries      ZSET  id of a delivery -> when it was made, in µs; the newest 10,000
ty:webhook:<id>:busy            STRING  the delivery that is under way, for as long as its sender may take
ty:delivery:<id>                HASH  a delivery, one field per attribute
ty:webhook:<id>:due             ZSET  id of a delivery -> when it is to be tried, in ms
ty:webhooks:due                 ZSET  id of a webhook -> when one of its deliveries is to be tried, in ms
ty:deliveries:unkept            SET   ids of those that storage does not have as they are now
ty:deliveries:last              STRING  when the last one was made, in µs: these times never repeat
ty:dataset:<id>:runs            SET   the runs that need the data set: those that have not ended
ty:<kind>:<id>:removed          STRING  for a week after the record was deleted
ty:unmirrored:<kind>            SET   ids whose record in storage is of an older revision than here
ty:indexed                      STRING  run_id of the Redis whose records were compared with storage's
ty:indexed:spec                 HASH  run_id of that Redis; version, the newest one of specs that whoever
                                compared them reads; and at, another word each time
ty:lists                        STRING  version of the lists of runs that this Redis was filled with
ty:unlisted                     SET   runs that a release with older lists has changed since
ty:indexing                     STRING  the lock of whoever compares them
ty:rebuilding                   STRING  while a Redis that was emptied is filled from storage
ty:upload:<request id>          STRING  how far an upload under way is, JSON
ty:q:<queue>                    ZSET  id -> turn, see prelude.lua: lower goes first within a project
ty:q:<queue>:of:<project>       ZSET  the same, those of one project
ty:q:<queue>:projects           SET   projects that have a record in the queue
ty:q:<queue>:heads              ZSET  each of them -> the turn of its first record
ty:limits:<kind>                HASH  project -> how many of its records may be in work; empty: the default
ty:projects                     ZSET  name -> 0: the projects that have records or a description, by name
ty:project_descriptions         HASH  project -> its description and when it was made, JSON
ty:worker:<id>                  STRING  a worker's latest sign of life, JSON; gone soon after the worker
ty:workers                      SET   ids of workers, some of which may be gone
ty:workers:drained              SET   ids of those that are to take nothing new, likewise
ty:leases:<kind>                ZSET  id -> when its lease lapses, in ms by the clock of Redis
ty:lease_clock, ty:clean_stop   when a lease was last given or renewed, and when Redis was stopped with
                                no lease out, in µs
ty:stopped                      STRING  run_id of a Redis that was stopped in order: nothing of it is lost
ty:server                       HASH  run_id of the Redis seen last, wait_until: no work before that, µs
ty:run:<id>:signals             HASH  stop, stop_version, epochs, epochs_version, cancel
ty:run:<id>:progress            STRING  the latest progress event, JSON
ty:run:<id>:events              STREAM  field `data`: an event, JSON
ty:access_keys                  HASH  SHA-256 of an access key -> what it may, JSON
ty:access_key_uses              HASH  id of an access key -> when it was used last, in seconds
ty:session:<hash>               STRING  a session of a browser, by the SHA-256 of its token: that of its key
ty:events                       STREAM  events of all runs, as they come: `run`, `project`, `kind`, `data`;
                                `own`, the id in the stream of its run
ty:alias:<space>:<name>         STRING  an id that goes by another name, such as a study's
ty:count:<space>:<name>         STRING  the last number given out under that name
ty:set:<name>                   SET   small shared sets, such as the study service's architectures
ty:lock:<name>                  STRING  a lock of whoever does what one process at a time may do
ty:turn:<name>                  STRING  while what one process does now and then has been done lately
ty:probe                        STRING  written to see whether Redis takes writes
ty:mq:*                         Celery's own keys
"""

PREFIX = "ty:"
CELERY_PREFIX = "ty:mq:"


def record(kind: str, record_id: str) -> str:
    return f"ty:{kind}:{record_id}"


def index(kind: str, status: str | None, project: str | None) -> str:
    """The index that lists the records of a status, a project, both, or all."""
    if status and project:
        return f"ty:{kind}:by:both:{status}:{project}"
    if status:
        return f"ty:{kind}:by:status:{status}"
    if project:
        return f"ty:{kind}:by:project:{project}"
    return f"ty:{kind}:by:all"


def model_versions(name: str) -> str:
    """The index of the trained models of that name."""
    return f"ty:model:by:name:{name}"


PREDICTIONS = "ty:predictions"
IMPORTS = "ty:imports"
BOARDS = "ty:boards"
BOARD_HOLDER = "ty:boards:holder"


def board_seen(board_id: str) -> str:
    return f"ty:board:{board_id}:seen"


def board_holder(board_id: str) -> str:
    return f"ty:board:{board_id}:holder"


def prediction(prediction_id: str) -> str:
    return f"ty:prediction:{prediction_id}"


def prediction_answer(prediction_id: str) -> str:
    return f"ty:prediction:{prediction_id}:answer"


def delivery(delivery_id: str) -> str:
    return f"ty:delivery:{delivery_id}"


def deliveries_of(webhook_id: str) -> str:
    return f"ty:webhook:{webhook_id}:deliveries"


def run_facet(facet: str, value: str) -> str:
    """The index of the runs that have that value."""
    return f"ty:run:by:{facet}:{value}"


def sorted_runs(name: str) -> str:
    """The index that sorts runs by what the name says."""
    return f"ty:run:sorted:{name}"


def waiting_runs(queue: str) -> str:
    """Since when each run of the queue waits."""
    return f"ty:run:waiting:{queue}"


STATISTICS = "ty:statistics"


def removed(kind: str, record_id: str) -> str:
    return f"ty:{kind}:{record_id}:removed"


def unmirrored(kind: str) -> str:
    return f"ty:unmirrored:{kind}"


def upload(request_id: str) -> str:
    return f"ty:upload:{request_id}"


def queue(name: str) -> str:
    return f"ty:q:{name}"


def limits(kind: str) -> str:
    return f"ty:limits:{kind}"


PROJECTS = "ty:projects"
PROJECT_DESCRIPTIONS = "ty:project_descriptions"


def lock(name: str) -> str:
    return f"ty:lock:{name}"


def turn(name: str) -> str:
    return f"ty:turn:{name}"


def worker(worker_id: str) -> str:
    return f"ty:worker:{worker_id}"


WORKERS = "ty:workers"
DRAINED_WORKERS = "ty:workers:drained"


def celery_queue(name: str) -> str:
    return f"{CELERY_PREFIX}{name}"


def signals(run_id: str) -> str:
    return f"ty:run:{run_id}:signals"


def progress(run_id: str) -> str:
    return f"ty:run:{run_id}:progress"


def events(run_id: str) -> str:
    return f"ty:run:{run_id}:events"


ACCESS_KEYS = "ty:access_keys"
ACCESS_KEY_USES = "ty:access_key_uses"
ALL_EVENTS = "ty:events"


def session(token_hash: str) -> str:
    return f"ty:session:{token_hash}"


def alias(space: str, name: str) -> str:
    return f"ty:alias:{space}:{name}"


def count(space: str, name: str) -> str:
    return f"ty:count:{space}:{name}"


def shared_set(name: str) -> str:
    return f"ty:set:{name}"


def leases(kind: str) -> str:
    return f"ty:leases:{kind}"


CLEAN_STOP = "ty:clean_stop"
STOPPED = "ty:stopped"
INDEXED = "ty:indexed"
INDEXING = "ty:indexing"
INDEXED_SPEC = "ty:indexed:spec"
LISTS = "ty:lists"
LISTS_VERSION = 3
"""Grows with each change of what lists of runs need in Redis: one of an earlier release is filled anew."""
UNLISTED = "ty:unlisted"
UNKEPT_DELIVERIES = "ty:deliveries:unkept"
REBUILDING = "ty:rebuilding"
PROBE = "ty:probe"

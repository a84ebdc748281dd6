"""Stories of runs and data sets, as their scripts are called: each comes to all outcomes of some."""

import json

from tests.unit.transitions import Step

MODEL = {"architecture": "Unet", "task": "multiclass"}
SPEC = json.dumps({"version": 3, "compute": {"devices": 1}, "model": MODEL})
READS = json.dumps({"spec": 6, "options": ["format"], "plugins": []})
LEASE_MS, GRACE_S = "600000", "300"
LOST = json.dumps({"code": "worker_lost", "cause": "user", "message": "gone", "remedy": "none", "log": "x"})
_DATASET = ("keep", "dataset", "ds", "ready", "id", "ds", "project", "p")
_HOOK = ("keep", "webhook", "hook", "active", "id", "hook", "project", "p", "statuses", "[]")


def submit(run: str = "a", project: str = "p", *more: str, seconds: float = 1.0) -> Step:
    """Of a run with all that lists need."""
    fields = {
        "id": run, "project": project, "name": f"Run {run}", "dataset_id": "ds", "queue": "train",
            "priority": "0",
        "epochs": "4", "epoch": "0", "spec": SPEC, "group": "g", "tags": '["t"]', "notes": "some",
        "listed:architecture": "Unet", "listed:task": "multiclass", "listed:name": f"run {run}",
    }  # fmt: skip
    fields |= dict(zip(more[::2], more[1::2], strict=True))
    return seconds, ("submit", "run", run, "queued", *(text for pair in fields.items() for text in pair))


def claim(owner: str = "w", limit: str = "0", *, devices: str = "0", reads: str = READS) -> Step:
    """A worker's, of the queue `train`."""
    words = ("claim", "run", "train", owner, "queued", "running", LEASE_MS, GRACE_S, limit, devices, reads)
    return 7.0, words


def offered(*plugins: str) -> str:
    """What a worker reads, of an old release with these plug-ins."""
    return json.dumps({"spec": 1, "options": ["format"], "plugins": plugins})


def finishes(owner: str = "f") -> Step:
    """A finisher's claim."""
    words = ("claim", "run", "finish", owner, "finishing", "finishing", LEASE_MS, GRACE_S, "1", "0", READS)
    return 7.0, words


def ingests(owner: str = "i", reads: str = READS) -> Step:
    """An ingest worker's claim."""
    words = ("claim", "dataset", "ingest", owner, "queued", "ingesting", LEASE_MS, GRACE_S, "0", "0", reads)
    return 7.0, words


def hand_over(fence: str = "1", target: str = "4", epoch: str = "4") -> Step:
    """A worker's, whose run is trained."""
    words = ("hand_over", "run", "a", fence, "w", target, "queued", "epoch", epoch, "used_seconds", "20.5")
    return 20.0, (*words, "result", "{}")


def step(*words: str, seconds: float = 3.0) -> Step:
    """Any script, with its arguments."""
    return seconds, words


def renew(fence: str, owner: str, progress: str = "", run: str = "a") -> Step:
    """A holder's sign of life."""
    return step("renew", "run", run, fence, owner, "queued", "running", LEASE_MS, progress)


def crash(fence: str, owner: str, run: str = "a", kind: str = "run", waiting: str = "queued") -> Step:
    """A holder's work broke; the second time is the last."""
    return step("crash", kind, run, fence, owner, waiting, "failed", "2", LOST)


def reap(seconds: float = 1000.0) -> Step:
    """What anybody does now and then; the second loss is the last."""
    return seconds, ("reap", "run", "queued", "running", "failed", "2", GRACE_S, LOST)


def _metrics(last: float) -> str:
    return json.dumps({"val_loss": {"best": 0.25, "last": last}, "broken": "x", "none": {"best": None}})


TRAINED = [step(*_DATASET), submit(), claim(), hand_over()]
COMPLETED = [
    *TRAINED,
    finishes(),
    step("finish", "run", "a", "2", "f", "completed", "metrics", _metrics(0.5)),
]
STORIES: dict[str, list[Step]] = {
    "a_whole_life": [
        step(*_DATASET),
        step(*_HOOK),
        submit(),
        submit(),
        step("edit", "run", "a", "priority", "5", "name", "other", "listed:name", "other", "notes", ""),
        step("edit", "run", "b", "name", "other"),
        claim(limit="1"),
        claim("second", limit="1"),
        renew("1", "w", "{}"),
        renew("1", "other"),
        renew("2", "w"),
        renew("1", "w", run="unknown"),
        step("held", "run", "w", "running", LEASE_MS),
        step("held", "run", "w", "finishing", LEASE_MS),
        step("held", "run", "other", "running", LEASE_MS),
        step("update", "run", "a", "1", "w", "notices", "[]", "listed:notes", "found"),
        step("update", "run", "a", "1", "other", "notices", "[]"),
        step("update", "run", "a", "0", "w", "notices", "[]"),
        step("tell", "a", "1", "w", "100", "epoch", "{}", ""),
        step("tell", "a", "1", "w", "100", "epoch", "{}", "5-3"),
        step("tell", "a", "1", "w", "100", "epoch", "{}", ""),
        step("tell", "a", "2", "w", "100", "epoch", "{}", ""),
        step("append", "a", "100", "note", "{}", "0-0"),
        step("append", "other", "100", "note", "{}", "0-0"),
        step("commit", "run", "a", "1", "w", '{"last": "x"}', "2", "40"),
        step("commit", "run", "a", "1", "other", "{}", "3", "60"),
        hand_over("2"),
        hand_over(),
        finishes(),
        step("finish", "run", "a", "2", "w", "completed"),
        step("finish", "run", "a", "2", "f", "completed", "metrics", _metrics(0.5), "ended", "x"),
        step("remove_run", "b", "600"),
        step("remove_run", "a", "600"),
        step("remove_run", "a", "600"),
        submit(),
    ],
    "stopped": [
        step(*_DATASET),
        step(*_HOOK),
        submit(),
        submit("b"),
        step("stop", "a", "epoch"),
        step("stop", "a", "now"),
        step("stop", "unknown", "now"),
        claim(),
        step("stop", "b", "epoch"),
        step("stop", "b", "epoch"),
        step("stop", "b", "now"),
        step("stop", "b", "epoch"),
        renew("1", "w", run="b"),
        step("finish", "run", "b", "1", "w", "failed", "error", LOST, "used_seconds", "7"),
        step("stop", "b", "now"),
        step("resume", "b", ""),
        step("remove_run", "b", "600"),
    ],
    "cancelled": [
        step(*_DATASET),
        step(*_HOOK),
        submit(),
        submit("b"),
        submit("c"),
        submit("d"),
        step("cancel", "a"),
        step("cancel", "a"),
        step("cancel", "unknown"),
        claim(),
        step("cancel", "b"),
        renew("1", "w", "{}", run="b"),
        step("release", "run", "b", "1", "w", "queued", "drained"),
        claim(),
        step("cancel", "c"),
        step("finish", "run", "c", "1", "w", "completed", "metrics", _metrics(0.5), "result", "{}"),
        claim(),
        step("cancel", "d"),
        crash("1", "w", "d"),
        step("resume", "d", "9"),
        step("retry", "d"),
        step("retarget", "d", "9"),
    ],
    "cancelled_when_it_is_trained": [
        *TRAINED[:-1],
        step("cancel", "a"),
        hand_over(),
        submit("b"),
        claim(),
        step("finish", "run", "b", "1", "w", "completed"),
        step("cancel", "b"),
    ],
    "given_back": [
        step(*_DATASET),
        submit(),
        submit("b"),
        claim(),
        step("release", "run", "a", "1", "other", "queued", "drained"),
        step("release", "run", "a", "1", "w", "queued", "drained"),
        step("queue_position", "a", "0", GRACE_S),
        step("queue_position", "b", "1", GRACE_S),
        claim(),
        step("retarget", "a", "2"),
        hand_over("2", epoch="1"),
        claim(),
        step("retarget", "a", "2"),
        hand_over("3", "4", "4"),
    ],
    "lost_and_found": [
        step(*_DATASET),
        submit(),
        submit("b", "q"),
        claim(),
        claim(),
        renew("1", "w", run="b"),
        reap(),
        reap(),
        claim("x"),
        crash("1", "w"),
        crash("2", "x"),
        crash("2", "x"),
        claim("y"),
        crash("2", "y", "b"),
        step("retry", "a"),
    ],
    "tried_again": [
        *TRAINED[:1],
        step(*_HOOK),
        *TRAINED[1:-1],
        step("commit", "run", "a", "1", "w", '{"last": "x"}', "2", "40"),
        renew("1", "w", "{}"),
        step("finish", "run", "a", "1", "w", "failed", "error", LOST, "used_seconds", "3.5"),
        step("retry", "unknown"),
        step("retry", "a"),
        step("retry", "a"),
        step("resume", "a", ""),
        step("export", "a", SPEC),
        claim(),
        step("retry", "a"),
        step("finish", "run", "a", "2", "w", "stopped", "epoch", "2"),
        step("retry", "a"),
        step("resume", "unknown", ""),
        step("resume", "a", "9"),
        step("resume", "a", "9"),
        step("resume", "a", "8"),
        step("resume", "a", ""),
        step("retry", "a"),
        claim(),
        step("finish", "run", "a", "3", "w", "failed"),
        step("DEL", "ty:dataset:ds"),
        step("resume", "a", ""),
        step("retry", "a"),
    ],
    "finished_again": [
        *COMPLETED,
        step("resume", "a", ""),
        step("resume", "a", "4"),
        step("retry", "a"),
        step("export", "unknown", SPEC),
        step("export", "a", "{}"),
        step("export", "a", "{}"),
        step("export", "a", SPEC),
        finishes(),
        step("finish", "run", "a", "3", "f", "failed", "error", LOST),
        step("retry", "a"),
        step("retry", "a"),
        finishes(),
        step("finish", "run", "a", "4", "f", "failed", "error", LOST),
        step("resume", "a", ""),
        finishes(),
        step("finish", "run", "a", "5", "f", "failed", "error", LOST),
        step("resume", "a", "6"),
        claim(),
        step("finish", "run", "a", "6", "w", "failed", "error", LOST),
        step("export", "a", "{}"),
        step("DEL", "ty:dataset:ds"),
        step("export", "a", "{}"),
        step("retry", "a"),
    ],
    "trained_on": [
        *TRAINED,
        step("retarget", "a", "4"),
        step("retarget", "unknown", "4"),
        finishes(),
        renew("2", "f", "{}"),
        step("stop", "a", "now"),
        step("retarget", "a", "6"),
        step("finish", "run", "a", "2", "f", "completed"),
        step("retarget", "a", "7"),
        step("retarget", "a", "7"),
        claim(),
        step("retarget", "a", "8"),
        step("finish", "run", "a", "3", "w", "completed"),
        step("retarget", "a", "9"),
    ],
    "a_finisher_that_is_lost": [
        *TRAINED,
        step("queue_position", "a", "1", GRACE_S),
        step("waiting", "run", "finish", "finishing", "0", GRACE_S),
        finishes(),
        step("waiting", "run", "finish", "finishing", "0", GRACE_S),
        reap(),
        finishes("g"),
        step("release", "run", "a", "3", "g", "finishing", "drained"),
        finishes("h"),
        step("ZREM", "ty:leases:run", "a"),
        step("requeue", "run", "finishing", "0", "1"),
        step("requeue", "run", "finishing", "1", "1"),
        step("cancel", "a"),
    ],
    "trained_on_before_it_is_finished": [
        *TRAINED,
        step("retarget", "a", "5"),
        claim(),
        renew("2", "w", "{}"),
        step("edit", "run", "a", "spec", "{}"),
        step("finish", "run", "a", "2", "w", "completed"),
        step("remove_run", "a", "600"),
    ],
    "turns": [
        step(*_DATASET),
        submit(),
        submit("b", "p", "priority", "3"),
        submit("c", "q"),
        submit("d", "p"),
        submit("e", "p"),
        step("HSET", "ty:limits:run", "q", "1"),
        *(step("queue_position", run, "1", GRACE_S) for run in ("a", "b", "c", "d", "unknown")),
        step("move_to_front", "e"),
        step("move_to_front", "e"),
        step("move_to_front", "unknown"),
        step("beside", "a", "e", "1"),
        step("beside", "d", "e", "-1"),
        step("beside", "d", "e", "-1"),
        step("beside", "d", "b", "1"),
        step("beside", "d", "c", "1"),
        step("beside", "d", "d", "1"),
        step("beside", "unknown", "d", "1"),
        step("waiting", "run", "train", "running", "2", GRACE_S),
        claim("w", "2"),
        claim("x", "2"),
        claim("y", "2"),
        claim("z", "2"),
        *(step("queue_position", run, "2", GRACE_S) for run in ("a", "c", "d", "e")),
        step("waiting", "run", "train", "running", "2", GRACE_S),
        step("move_to_front", "b"),
        step("beside", "b", "a", "1"),
        claim("v", "0"),
        claim("u", "0"),
        claim("t", "0"),
    ],
    "what_a_worker_takes": [
        step(*_DATASET),
        submit("a", "p", "spec", '{"version": 3, "compute": {"devices": [0, 2]}}'),
        submit("b", "p", "spec", '{"version": 9}'),
        submit("c", "p", "spec",
            '{"model": {"architecture": "my.net"}, "optimization": {"optimizer": "my.sgd"}}'),
        submit("d", "p", "spec", '{"optimization": {"losses": [{"name": "my.loss"}, {"name": "dice"}, 1]}}'),
        submit("e", "p", "spec",
            '{"early_stopping": {"monitor": "val_my.iou"}, "checkpoints": {"monitor": "val_loss"}}'),
        submit("f", "p", "spec", "not JSON"),
        claim(devices="2"),
        claim(devices="2"),
        claim(devices="3"),
        claim(reads='{"spec": 9, "options": [], "plugins": []}'),
        claim(reads=offered("architecture my.net")),
        claim(reads=offered("architecture my.net", "optimizer my.sgd")),
        claim(reads=offered("loss my.loss")),
        claim(reads=offered("metric my.iou")),
        submit("g", "p"),
        step("HSET", "ty:run:g", "status", "stopped"),
        claim(),
        submit("h", "p"),
        step("DEL", "ty:q:train:heads"),
        claim(),
    ],
    "waits_for_its_data_set": [
        submit("a", "p", "awaits_dataset", "true"),
        submit("b", "p", "awaits_dataset", "true"),
        claim(),
        step("settle", "a", "queued", "awaits_dataset", "false", "dataset_hash", "x"),
        step("settle", "b", "failed", "error", LOST),
        step("settle", "b", "failed", "error", LOST),
        step("settle", "unknown", "queued"),
        step("SET", "ty:dataset:ds:removed", "1"),
        submit("c"),
    ],
    "a_redis_that_forgot": [
        step(*_DATASET),
        submit(),
        claim(),
        step("HSET", "ty:server", "run_id", "another"),
        claim(),
        reap(seconds=100.0),
        step("waiting", "run", "train", "running", "0", GRACE_S),
        step("queue_position", "a", "0", GRACE_S),
        renew("1", "w"),
        step("HSET", "ty:server", "run_id", "another", seconds=5000.0),
        step("SET", "ty:clean_stop", "1900000000000000"),
        reap(),
    ],
    "taken_over_from_storage": [
        step(*_DATASET),
        step(*_HOOK),
        *(
            step("restore", "run", run, "queued", "running", GRACE_S, "id", run, "project", "p",
                "dataset_id", "ds",
                 "queue", "train", "priority", "0", "created_at", f"180000000{number}.5", "revision",
                     revision,
                 "status", status, "fence", "3", "owner", owner, "epochs", "4", "epoch", "1", "name", run)
            for number, (run, status, revision, owner) in enumerate([
                ("a", "queued", "4", ""), ("a", "queued", "4", ""), ("a", "queued", "3", ""), ("b",
                    "running", "4", "w"),
                ("c", "completed", "7", ""), ("d", "finishing", "5", "f"), ("e", "finishing", "5", ""),
                ("g", "queued", "0", ""), ("a", "completed", "9", ""),
            ])
        ),
        claim(),
        *(
            step("restore", "run", "b", "queued", "running", GRACE_S, "id", "b", "project", "p",
                "dataset_id", "ds",
                "queue", "train", "priority", "0", "created_at", "1800000001.5", "revision", revision,
                "status", "running",
                "fence", fence, "owner", owner)
            for revision, fence, owner in (("20", "3", "other"), ("30", "4", "w"), ("40", "3", "w"))
        ),
        renew("3", "other", run="b"),
        renew("3", "w", run="b"),
        renew("9", "new", run="c"),
        step("renew", "run", "d", "3", "f", "finishing", "finishing", LEASE_MS, ""),
        step("renew", "run", "e", "4", "f", "finishing", "finishing", LEASE_MS, ""),
        step("restore", "run", "b", "queued", "running", GRACE_S, "id", "b", "project", "p", "dataset_id",
            "ds",
             "queue", "train", "priority", "0", "created_at", "1800000001.5", "revision", "99", "status",
                 "running",
             "fence", "3", "owner", "w"),
        step("SET", "ty:run:z:removed", "1"),
        step("restore", "run", "z", "queued", "running", GRACE_S, "id", "z", "project", "p", "revision", "4",
             "status", "queued", "created_at", "1800000001.5"),
        step("DEL", "ty:q:train"),
        submit("h"),
        step("DEL", "ty:q:train"),
        step("requeue", "run", "queued", "0", "1"),
        step("requeue", "run", "queued", "0", "9"),
    ],
    "a_data_set": [
        step("submit", "dataset", "s", "queued", "id", "s", "project", "p", "queue", "ingest", "priority",
            "0",
             "options", '{"format": "my.format", "new": null}'),
        ingests(),
        ingests(reads=offered("format my.format")),
        step("reopen", "s", "2", "options", "{}"),
        crash("1", "i", "s", "dataset"),
        ingests(reads=offered("format my.format")),
        step("finish", "dataset", "s", "2", "i", "ready", "summary", '{"images": 12}', "images_total", "12"),
        step("reopen", "unknown", "2", "options", "{}"),
        step("reopen", "s", "2", "options", "{}"),
        step("reopen", "s", "5", "change", '{"seed": 3}', "started_at", "", "options", "{}"),
        ingests(),
        ingests(reads='{"spec": 1, "options": ["seed"], "plugins": []}'),
        crash("3", "i", "s", "dataset"),
        ingests(reads='{"spec": 1, "options": ["seed"], "plugins": []}'),
        crash("4", "i", "s", "dataset"),
        submit("a", "p", "dataset_id", "s"),
        step("remove", "s", "600"),
        step("stop", "a", "now"),
        step("remove", "s", "600"),
        step("remove", "s", "600"),
    ],
    "trained_models": [
        step("register_model", "m", "none", "id", "m", "project", "p", "name", "net", "run_id", "a"),
        step("register_model", "n", "none", "id", "n", "project", "p", "name", "net", "run_id", "a"),
        step("restore", "model", "o", "", "", GRACE_S, "id", "o", "project", "p", "name", "net", "version",
            "7",
            "created_at", "1800000009.5", "revision", "3", "status", "registered"),
        step("restore", "model", "q", "", "", GRACE_S, "id", "q", "project", "p", "name", "net", "version",
            "5",
            "created_at", "1800000019.5", "revision", "3", "status", "registered"),
        step("register_model", "r", "none", "id", "r", "project", "p", "name", "net", "run_id", "a"),
        step("edit_model", "n", "production", "description", "good"),
        step("edit_model", "m", "production"),
        step("remove_model", "m", "600"),
        step("remove_model", "n", "600"),
    ],
    "webhooks": [
        step(*_DATASET),
        step(*_HOOK),
        step("keep", "webhook", "only", "active", "id", "only", "project", "p", "statuses", '["failed"]'),
        step("keep", "webhook", "paused", "paused", "id", "paused", "project", "p", "statuses", "[]"),
        submit(),
        submit("b", "q"),
        step("claim_delivery", "5000"),
        claim(),
        step("claim_delivery", "5000"),
        step("finish", "run", "a", "1", "w", "failed", "error", LOST),
        step("claim_delivery", "5000"),
        step("edit", "webhook", "only", "status", "paused"),
        step("edit", "webhook", "hook", "statuses", '["queued"]'),
        step("tell_webhook", "hook", "ping", ""),
        step("tell_webhook", "unknown", "ping", ""),
        step("forget", "webhook", "hook", "600"),
    ],
}  # fmt: skip

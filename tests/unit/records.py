"""Records for tests."""

import json
from typing import Any

from trainyard.lease import LeaseRules
from trainyard.runs.events import Progress, to_dict, without_speed
from trainyard.runs.record import Run, RunStatus
from trainyard.runs.signals import Signals
from trainyard.settings import Settings
from trainyard.spec.experiments import Experiments
from trainyard.store.records import Life, RecordStore
from trainyard.store.runs.run_streams import parse_signals

PROGRESS = without_speed("train", epoch=2, epochs=4, step=9)
SPEC = Experiments(Settings().configs).compose({})


def a_run(number: int, **values: Any) -> Run:
    """A complete record; the number makes its id."""
    defaults: dict[str, Any] = {
        "id": f"run-{number:012x}",
        "project": "a",
        "name": f"run {number}",
        "dataset_id": "ds-000000000000",
        "dataset_hash": "abc",
        "spec": SPEC,
        "queue": "train",
        "created_at": 1.0,
        "epochs": SPEC.epochs,
        "labels": {},
    }
    return Run(**(defaults | values))


LIFE = Life(waiting=RunStatus.QUEUED, working=RunStatus.RUNNING, failed=RunStatus.FAILED)
RULES = LeaseRules(lease_s=60, max_crashes=3)


def claim(store: RecordStore[Run], owner: str = "w", max_concurrent: int = 0) -> Run | None:
    """The next run of the queue `train`."""
    return store.claim("train", owner, LIFE, RULES, max_concurrent)


def renew(store: RecordStore[Run], held: Run, progress: Progress | None = None) -> Signals | None:
    """Renew as the holder; None when it is lost."""
    text = json.dumps(to_dict(progress)) if progress else ""
    found = store.renew(held.id, held.fence, held.owner or "", LIFE, RULES, text)
    return None if found is None else parse_signals(found)

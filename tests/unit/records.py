"""Records for tests."""

from typing import Any

from trainyard.experiments import Experiments
from trainyard.runs import Run, RunStatus
from trainyard.settings import Settings
from trainyard.store.records import RecordStore

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
        "created_at": 1.0,
        "epochs": SPEC.epochs,
        "labels": {},
    }
    return Run(**(defaults | values))


def claim(store: RecordStore[Run], owner: str = "w") -> Run | None:
    """The next run of the queue `train`."""
    return store.claim("train", owner, RunStatus.QUEUED, RunStatus.RUNNING)

"""What a child says, as it goes into the record and the run's files."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.records import a_run
from trainyard import events
from trainyard.errors import OwnershipLost
from trainyard.lease import LeaseRules
from trainyard.run_registry import RunRegistry
from trainyard.runs import Run
from trainyard.storage import Storage, read_json
from trainyard.store.connection import connect
from workers.attempt_files import AttemptFiles
from workers.run_reports import RunReports

ROW = {"epoch": 1, "train_loss": 0.5}
EPOCH_END = events.EpochEnd(epoch=1, step=4, metrics=ROW)


class WatchedRegistry(RunRegistry):
    """Calls back when a record is about to change."""

    before_update: Callable[[], None] = staticmethod(lambda: None)

    def update(self, held: Run, **values: Any) -> Run:
        self.before_update()
        return super().update(held, **values)


@pytest.fixture
def storage(tmp_path):
    return Storage(tmp_path / "storage")


@pytest.fixture
def runs(server, storage):
    registry = WatchedRegistry(connect(server.url), storage, LeaseRules(lease_s=60))
    registry.submit(a_run(1))
    return registry


def reports(runs: RunRegistry, storage: Storage, run: Run) -> RunReports:
    files = AttemptFiles(storage.run(run.id), run.fence)
    files.begin(run.checkpoints)
    return RunReports(runs, run, storage.run(run.id), files)


def test_who_reads_that_an_epoch_is_over_finds_its_row(runs, storage):
    held = runs.claim("train", "me")
    telling = reports(runs, storage, held)
    seen = []
    runs.before_update = lambda: seen.append(read_json(storage.run(held.id).metrics_json)["rows"])
    telling.add(EPOCH_END)
    telling.post()
    assert seen == [[ROW]], "the row is there before the record counts the epoch"
    assert (runs.get(held.id).epoch, runs.get(held.id).step) == (1, 4)


def test_a_row_of_a_run_held_by_another_goes_nowhere(runs, storage):
    held = runs.claim("train", "me")
    telling = reports(runs, storage, held)
    runs.release(held)
    runs.claim("train", "another")
    telling.add(EPOCH_END)
    with pytest.raises(OwnershipLost):
        telling.post()
    assert not storage.run(held.id).metrics_json.exists()

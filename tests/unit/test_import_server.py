"""A worker's place for experiments that are handed over, with scripted processes."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waits import wait_for
from trainyard.library.import_job import ImportJob
from trainyard.storage.ids import new_prediction_id
from trainyard.store import keys
from trainyard.store.connection import connect
from trainyard.store.resources.prediction_store import PredictionStore
from workers.imports import server as module
from workers.imports.server import ImportServer
from workers.process import job_server


@pytest.fixture
def store(redis_url: str) -> PredictionStore:
    return PredictionStore(connect(redis_url), keys.IMPORTS)


@pytest.fixture
def serving(
    store: PredictionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ImportServer]:
    monkeypatch.setattr(module, "IMPORT_CHILD", "tests.unit.scripted_import")
    monkeypatch.setattr(job_server, "LOOK_S", 0.1)
    draining = threading.Event()
    server = ImportServer(store, tmp_path, "w", draining)
    server.start()
    yield server
    draining.set()
    server.join()


@pytest.mark.parametrize(
    ("most", "seconds", "code"), [(1, 100, None), (2, 100, "child_died"), (3, 1, "import_timeout")]
)
def test_each_is_taken_in_by_a_process_of_its_own(
    serving: ImportServer, store: PredictionStore, most: int, seconds: int, code: str | None
):
    job = ImportJob(id=new_prediction_id(), max_bytes=most)
    store.ask(job, seconds)
    answer = wait_for(lambda: store.answered(job.id), bool)
    assert answer is not None
    if code is None:
        assert answer["result"]["id"] == job.id
    else:
        assert answer["error"]["code"] == code


def test_predictions_wait_in_another_place(store: PredictionStore, redis_url: str):
    store.ask(ImportJob(id=new_prediction_id(), max_bytes=1), 100)
    assert store.waiting() == 1
    assert PredictionStore(connect(redis_url)).waiting() == 0

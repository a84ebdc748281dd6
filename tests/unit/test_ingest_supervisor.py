"""The supervisor of an ingest against a real Redis, its child scripted so that faults can be had at will."""

import threading
import time
from collections.abc import Callable

import pytest

from tests.waits import once, scaled
from trainyard.datasets.record import Dataset, DatasetStatus
from trainyard.lease import LeaseRules, Ownership
from trainyard.registry.datasets import DatasetRegistry
from trainyard.storage.files import Storage
from trainyard.storage.ids import new_dataset_id
from trainyard.store import keys
from trainyard.store.connection import connect
from workers.datasets import supervisor as ingest_supervisor
from workers.datasets.supervisor import IngestSupervisor


@pytest.fixture
def ingested(server, tmp_path, monkeypatch):
    """Ingests a new data set by the script of that name."""
    monkeypatch.setattr(ingest_supervisor, "INGEST_CHILD", "tests.unit.scripted_ingest")
    storage = Storage(tmp_path / "storage")
    datasets = DatasetRegistry(connect(server.url), storage, LeaseRules(lease_s=scaled(1.5)))

    def ingest(script: str, is_revoked: Callable[[], bool] = lambda: False) -> Dataset:
        dataset = Dataset(id=new_dataset_id(), name="d", project="p", created_at=0)
        datasets.submit(dataset)
        storage.dataset(dataset.id).path.joinpath("script").write_text(script)
        held, ownership = datasets.claim("ingest", "me"), Ownership(datasets.rules, time.monotonic())
        assert held is not None
        IngestSupervisor(datasets, storage, threading.Event(), held, ownership, is_revoked).supervise()
        return datasets.get(dataset.id)

    return ingest


def test_a_child_that_ended_itself_for_want_of_word_counts_as_no_crash(ingested):
    released = ingested("fenced")
    assert (released.status, released.crashes, released.owner) == (DatasetStatus.QUEUED, 0, None)


def test_a_revoked_ingest_has_failed_and_says_how_it_is_tried_again(ingested, tmp_path):
    begun = lambda: bool(list(tmp_path.glob("storage/datasets/*/begun")))  # noqa: E731
    failed = ingested(str(scaled(60)), begun)
    assert (failed.status, failed.error["code"], failed.crashes) == (DatasetStatus.FAILED, "revoked", 0)
    assert "/retry" in failed.error["remedy"]


def test_a_lost_ingest_says_whose_it_was(server, tmp_path):
    datasets = DatasetRegistry(connect(server.url), Storage(tmp_path / "storage"))
    dataset = Dataset(id=new_dataset_id(), name="d", project="p", created_at=0)
    datasets.submit(dataset)
    assert datasets.claim("ingest", "host:1:ab")
    connect(server.url).zadd(keys.leases("dataset"), {dataset.id: 0})
    (lost,) = datasets.reap()
    assert (lost.owner, lost.last_owner, lost.crashes) == (None, "host:1:ab", 1)


def test_a_redis_that_hangs_halts_the_ingest_and_loses_nothing(ingested, server, tmp_path, caplog):
    def outage() -> None:
        server.hang()
        time.sleep(scaled(2.6))
        server.answer()

    away = once(lambda: list(tmp_path.glob("storage/datasets/*/begun")), outage)
    ended = ingested(str(scaled(0.4)))
    away.join()
    assert (ended.status, ended.fence, ended.crashes) == (DatasetStatus.FAILED, 1, 0)
    assert ended.error["message"] == "It came to its end."
    assert caplog.text.index("is halted") < caplog.text.index("goes on")

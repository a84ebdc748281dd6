"""Signs of life of workers, and what they tell of their device."""

import os
import time
from pathlib import Path

import pytest

from trainyard.store import keys
from trainyard.store.connection import Client, connect
from trainyard.store.worker_record import Housekeeping
from trainyard.store.workers import LIFE_S, WorkerStore
from workers.devices.device_class import MEBIBYTE, UNKNOWN_GPU, device_of
from workers.heartbeat import Presence

SMI = """#!/bin/sh
[ "$3" = "--id=7" ] && exit 6
echo "NVIDIA H200, 143771"
[ "$3" = "--id=0,1" ] && echo "NVIDIA H200, [N/A]"
exit 0
"""


@pytest.fixture
def client(redis_url: str) -> Client:
    return connect(redis_url)


def test_a_worker_is_seen_with_what_it_holds_until_it_is_gone(client: Client):
    workers = WorkerStore(client)
    assert workers.all() == []
    presence, other = Presence(workers, ("cpu",)), Presence(workers, ("ingest",))
    presence.beat()
    other.beat()
    with presence.holding("run-1"):
        found = {worker.id: worker for worker in workers.all()}
        assert found.keys() == {presence.id, other.id}
        mine = found[presence.id]
        assert (mine.queues, mine.holds, mine.pid) == (("cpu",), "run-1", os.getpid())
        assert mine.since
        assert mine.memory_bytes > 0
    assert [worker.holds for worker in workers.all()] == [None, None]
    assert 0 < client.ttl(keys.worker(other.id)) <= LIFE_S
    client.delete(keys.worker(other.id))  # as when its time is over
    assert [worker.id for worker in workers.all()] == [presence.id]
    assert client.smembers(keys.WORKERS) == {presence.id}


def test_a_worker_that_ends_is_seen_no_more(client: Client):
    workers = WorkerStore(client)
    presence, other = Presence(workers, ("cpu",)), Presence(workers, ("cpu",))
    presence.beat()
    other.beat()
    presence.leave()
    presence.beat()  # its heartbeat may come round once more
    assert [worker.id for worker in workers.all()] == [other.id]
    assert client.smembers(keys.WORKERS) == {other.id}


def test_work_goes_on_while_redis_is_away():
    presence = Presence(WorkerStore(connect("redis://127.0.0.1:1/0")), ("cpu",))
    with presence.holding("run-1"):
        pass
    presence.leave()


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver's tool that knows two GPUs."""
    (tmp_path / "nvidia-smi").write_text(SMI)
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)


@pytest.mark.usefixtures("smi")
def test_gpus_are_described_by_their_driver():
    assert device_of(("gpu",), None) == ("NVIDIA H200", 143771 * MEBIBYTE)
    assert device_of(("gpu", "cpu"), "0,1") == ("2 × NVIDIA H200", 143771 * MEBIBYTE)
    assert device_of(("gpu",), "7") == (UNKNOWN_GPU, 0)


def test_without_the_tool_a_gpu_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert device_of(("gpu-large",), None) == (UNKNOWN_GPU, 0)


@pytest.mark.parametrize("queue", ["cpu", "ingest"])
@pytest.mark.usefixtures("smi")
def test_a_processor_is_enough_for_some_queues(queue: str):
    name, memory = device_of((queue,), None)
    assert name
    assert memory == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_a_worker_says_how_its_housekeeping_stands(client: Client):
    workers = WorkerStore(client)
    presence = Presence(workers, ("cpu",))
    presence.beat()
    presence.beat(Housekeeping(seconds_ago=90, is_stalled=True))
    with presence.holding("run-1"):
        (found,) = workers.all()
    assert found.is_stalled
    assert found.housekeeping_at
    assert 80 < time.time() - found.housekeeping_at < 600
    assert found.holds == "run-1"
    presence.beat(Housekeeping(seconds_ago=None, is_stalled=False))
    assert [(one.is_stalled, one.housekeeping_at) for one in workers.all()] == [(False, None)]

"""Signs of life of workers, and what they tell of their device."""

import os
import time
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from trainyard.store import keys
from trainyard.store.connection import Client, connect
from trainyard.store.processes.worker_record import Housekeeping
from trainyard.store.processes.workers import LIFE_S, WorkerStore
from workers.devices.device_class import UNKNOWN_GPU, device_figures, device_of, gpus_to_use
from workers.heartbeat import Presence


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


GIB = 1024**3


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that knows two GPUs; the second does not tell how warm it is."""

    def temperature(index: int, sensor: int) -> int:
        if index:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return 61

    def by_uuid(name: str) -> int:
        if name != "GPU-b":
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return 1

    def by_index(index: int) -> int:
        if index > 1:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        return index

    answers: dict[str, Any] = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": by_index,
        "nvmlDeviceGetHandleByUUID": by_uuid,
        "nvmlDeviceGetName": lambda index: "NVIDIA H200",
        "nvmlDeviceGetMemoryInfo": lambda index: SimpleNamespace(used=(5 + index) * GIB, total=140 * GIB),
        "nvmlDeviceGetUtilizationRates": lambda index: SimpleNamespace(gpu=90 - 40 * index, memory=3),
        "nvmlDeviceGetTemperature": temperature,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(pynvml, name, answer)


@pytest.mark.usefixtures("driver")
def test_gpus_are_described_by_their_driver():
    assert device_of(("gpu",), "0") == ("NVIDIA H200", 140 * GIB)
    assert device_of(("gpu", "cpu"), "0,1") == device_of(("gpu",), None) == ("2 × NVIDIA H200", 140 * GIB)
    assert device_of(("gpu",), "GPU-b") == ("NVIDIA H200", 140 * GIB)
    for unknown in ("7", "GPU-c", "-1", ""):
        assert device_of(("gpu",), unknown) == (UNKNOWN_GPU, 0)
    assert gpus_to_use(None) == ["0", "1"]
    assert gpus_to_use(" GPU-b, 1,-1") == ["GPU-b", "1"]


@pytest.mark.usefixtures("driver")
def test_a_worker_tells_what_its_gpus_do(client: Client):
    workers = WorkerStore(client)
    Presence(workers, ("gpu",)).beat(Housekeeping(seconds_ago=1))
    [worker] = workers.all()
    told = {"name": "NVIDIA H200", "memory_total_bytes": 140 * GIB}
    assert [asdict(one) for one in worker.figures] == [
        {**told, "memory_used_bytes": 5 * GIB, "utilization": 0.9, "temperature_c": 61},
        {**told, "memory_used_bytes": 6 * GIB, "utilization": 0.5, "temperature_c": None},
    ]


def test_without_a_driver_a_gpu_is_unknown():
    """As on this machine: there is no NVML library to load, or it knows of no GPU."""
    if gpus_to_use(None):
        pytest.skip("this machine has a GPU")
    assert device_of(("gpu-large",), None) == (UNKNOWN_GPU, 0)
    assert device_figures(("gpu",), None) == ()


@pytest.mark.parametrize("queue", ["cpu", "ingest"])
@pytest.mark.usefixtures("driver")
def test_a_processor_is_enough_for_some_queues(queue: str):
    name, memory = device_of((queue,), None)
    assert name
    assert memory == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    [figures] = device_figures((queue,), None)
    assert 0 < (figures.memory_used_bytes or 0) < memory
    assert figures.utilization is not None
    assert 0 <= figures.utilization <= 1


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


def test_a_drained_worker_serves_no_queue_until_its_drain_is_ended(client: Client):
    workers = WorkerStore(client)
    presence = Presence(workers, ("gpu", "cpu"))
    presence.beat()
    housekeeping = Housekeeping(seconds_ago=1)

    def told() -> tuple[bool, tuple[str, ...]]:
        presence.beat(housekeeping)
        [found] = workers.all()
        assert found.is_drained == presence.is_drained
        return found.is_drained, found.queues

    assert workers.drain(presence.id)
    assert told() == (True, ())
    presence.fail()
    assert told() == (True, ())
    workers.end_drain(presence.id)
    assert told() == (False, ("cpu",)), "its GPU cannot be used, which it learnt meanwhile"
    presence.recover()
    assert told() == (False, ("gpu", "cpu"))
    assert not workers.drain("none such")

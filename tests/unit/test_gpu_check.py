"""A worker knows that its GPUs do their work before it takes any, and finds out again when in doubt."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.unit.gpu_stubs import SICK, SOUND, Probe, build_old_driver
from tests.unit.records import SPEC, a_run
from tests.waits import scaled
from trainyard.errors import DeviceFault
from trainyard.runs.record import Run
from trainyard.settings import REPOSITORY, Settings
from trainyard.storage.files import Storage
from trainyard.store import keys
from trainyard.store.connection import connect
from trainyard.store.processes.workers import WorkerStore
from workers import tasks as tasks_module
from workers.devices import gpu_check as gpu_check_module
from workers.devices.gpu_check import FoundGpu, GpuCheck
from workers.heartbeat import Presence
from workers.runs import supervisor as supervisor_module
from workers.tasks import Worker

CONTENT_HASH = "c0de" * 16


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Probe:
    monkeypatch.syspath_prepend(tmp_path)
    return Probe(tmp_path)


def test_gpus_are_tried_once_until_there_is_doubt(probe: Probe):
    check = GpuCheck(("cpu", "gpu-large"), probe.module)
    assert check.gpus() == check.gpus() == (FoundGpu(name="NVIDIA H200", memory_bytes=150),) * 2
    assert len(probe.pids) == 1
    check.doubt()
    check.gpus()
    assert len(probe.pids) == 2


def test_a_worker_without_a_gpu_class_asks_no_gpu(probe: Probe):
    for queues in (("cpu",), ("ingest",)):
        assert GpuCheck(queues, probe.module).gpus() == ()
    assert probe.pids == []


def test_what_is_wrong_is_said_and_tried_again(probe: Probe):
    check = GpuCheck(("gpu",), probe.module)
    probe.answer(SICK)
    for _ in range(2):
        with pytest.raises(DeviceFault, match="GPU 0 does not compute"):
            check.gpus()
    probe.answer(SOUND)
    assert check.gpus()
    assert len(probe.pids) == 3


def test_a_probe_that_dies_or_hangs_is_a_fault_too(probe: Probe, monkeypatch: pytest.MonkeyPatch):
    check = GpuCheck(("gpu",), probe.module)
    probe.answer(3)
    with pytest.raises(DeviceFault, match="exit code 3"):
        check.gpus()
    monkeypatch.setattr(gpu_check_module, "PROBE_S", 3.0)
    probe.answer("hang")
    with pytest.raises(DeviceFault, match="no answer within 3 s"):
        check.gpus()
    assert not any(psutil.pid_exists(pid) for pid in probe.pids)


@pytest.fixture
def gpu_worker(redis_url: str, tmp_path: Path, probe: Probe, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """A worker of two GPUs, whose runs do what the script of their data set says."""
    monkeypatch.setattr(supervisor_module, "TRAINING_CHILD", "tests.unit.failing_child")
    monkeypatch.setattr(tasks_module, "CHECK_AGAIN_S", 0.0)
    settings = replace(Settings(), redis_url=redis_url, storage=tmp_path / "storage", threads=1)
    worker = Worker.compose(settings, ("cpu",), "train-1@here")
    check = GpuCheck(("gpu",), probe.module)
    return replace(worker, gpus=check, presence=Presence(worker.workers, ("gpu",), check.gpus()))


@pytest.fixture
def submit(gpu_worker: Worker) -> Callable[..., str]:
    """Gives the id of a new run whose process does as the script says."""

    def give(number: int, script: dict[str, object], devices: int = 1) -> str:
        spec = replace(SPEC, compute=replace(SPEC.compute, devices=devices))
        run = a_run(number, queue="gpu", dataset_id=f"ds-{number:012x}", dataset_hash=CONTENT_HASH, spec=spec)
        prepared = Storage(gpu_worker.settings.storage).dataset(run.dataset_id).version(CONTENT_HASH)
        prepared.mkdir(parents=True)
        (prepared / "script").write_text(json.dumps(script))
        connect(gpu_worker.settings.redis_url).hset(keys.record("dataset", run.dataset_id), "status", "ready")
        gpu_worker.runs.submit(run)
        return run.id

    return give


def statuses(worker: Worker, *ids: str) -> list[tuple[str, int]]:
    found: list[Run] = [worker.runs.get(one) for one in ids]
    return [(str(run.status), run.crashes) for run in found]


FAULT = {
    "error": {
        "code": "device_fault",
        "cause": "infrastructure",
        "message": "CUDA error: an illegal memory access was encountered",
        "remedy": "",
        "errors": {},
    }
}


def test_after_a_fault_nothing_is_claimed_until_the_gpu_passes(
    gpu_worker: Worker, submit: Callable[..., str], probe: Probe
):
    one = submit(1, FAULT)
    gpu_worker.train("gpu")
    assert statuses(gpu_worker, one) == [("queued", 1)], "tried again"
    probe.answer(SICK)
    gpu_worker.train("gpu")
    assert statuses(gpu_worker, one) == [("queued", 1)]
    (seen,) = gpu_worker.workers.all()
    assert seen.queues == (), "it serves nothing, and the run says that there is no worker"
    probe.answer(SOUND)
    gpu_worker.train("gpu")
    assert statuses(gpu_worker, one) == [("queued", 2)]
    (seen,) = gpu_worker.workers.all()
    assert (seen.queues, seen.device, seen.devices) == (("gpu",), "2 × NVIDIA H200", 2)


def test_what_a_user_must_change_casts_no_doubt_on_the_gpu(
    gpu_worker: Worker, submit: Callable[..., str], probe: Probe
):
    submit(1, {"error": {**FAULT["error"], "code": "nan_loss", "cause": "user"}})
    gpu_worker.train("gpu")
    gpu_worker.train("gpu")
    assert len(probe.pids) == 1


def test_a_worker_that_shuts_down_waits_for_no_gpu(
    gpu_worker: Worker, probe: Probe, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tasks_module, "CHECK_AGAIN_S", 600.0)
    gpu_worker.gpus.doubt()
    probe.answer(SICK)
    threading.Timer(1, gpu_worker.draining.set).start()
    gpu_worker.train("gpu")


def test_runs_that_want_more_gpus_wait_for_a_worker_that_has_them(
    gpu_worker: Worker, submit: Callable[..., str]
):
    large, small, medium = (submit(number, FAULT, devices) for number, devices in ((1, 4), (2, 1), (3, 2)))
    taken = [run.id for run in iter(lambda: gpu_worker.runs.claim("gpu", "two GPUs", 2), None) if run]
    assert taken == [small, medium]
    assert gpu_worker.runs.claim("gpu", "one GPU", 1) is None
    four = gpu_worker.runs.claim("gpu", "four GPUs", 4)
    assert four
    assert four.id == large


def test_on_processors_a_run_may_want_any_number(gpu_worker: Worker, submit: Callable[..., str]):
    large = submit(1, FAULT, 64)
    held = gpu_worker.runs.claim("gpu", "no limit")
    assert held
    assert held.id == large


def test_workers_of_a_machine_share_its_cores(gpu_worker: Worker):
    worker = replace(gpu_worker, settings=replace(gpu_worker.settings, threads=12))
    for queues in (("cpu",), ("gpu",), ("ingest",)):
        Presence(worker.workers, queues).beat()
    worker.presence.beat()
    assert worker._threads() == 4
    away = WorkerStore(connect("redis://127.0.0.1:1/0"))
    assert replace(worker, workers=away)._threads() == 12, "nobody knows of others"
    given = replace(worker.settings, threads_are_given=True)
    assert replace(worker, settings=given)._threads() == 12


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workers", "train", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "TRAINYARD_REDIS_URL": "redis://127.0.0.1:1/0", **environment},
        capture_output=True,
        text=True,
        timeout=scaled(120),
        check=False,
    )


@pytest.mark.thorough
def test_a_gpu_worker_whose_gpus_are_hidden_does_not_start():
    refused = start("gpu", CUDA_VISIBLE_DEVICES="")
    assert refused.returncode == 1
    assert "This worker does not start: " in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.thorough
@pytest.mark.skipif(shutil.which("cc") is None, reason="a driver's stub takes a C compiler")
def test_a_driver_that_is_too_old_is_named_with_the_one_that_is_needed(tmp_path: Path):
    build_old_driver(tmp_path)
    refused = start("gpu", LD_LIBRARY_PATH=str(tmp_path))
    assert refused.returncode == 1
    assert "CUDA 12.4" in refused.stderr
    assert "needs driver 580" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gpu", "--gpu", "first"), "--gpu first"),
        (("gpu", "--gpu", "0,"), "--gpu 0,"),
        (("cpu", "--gpu", "0"), "trains on the processor"),
    ],
)
def test_a_choice_of_gpus_that_makes_no_sense_is_refused(arguments: tuple[str, ...], said: str):
    refused = start(*arguments)
    assert refused.returncode == 2
    assert said in refused.stderr

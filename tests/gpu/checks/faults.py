"""Check 11: a fault of the device sends the run back, and its worker claims nothing until the GPU passes."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.machines.service import Service
from tests.gpu.check import Finding, Setting, equal
from tests.gpu.failing_training import ASSERT, DEVICE_VARIABLE, FAILURE_VARIABLE
from tests.gpu.sets import prepared_set
from tests.unit.gpu_stubs import SICK, SOUND, Probe
from tests.unit.records import a_run
from trainyard.errors import DeviceFault
from trainyard.runs.record import RunStatus
from trainyard.settings import REPOSITORY, Settings
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import Storage
from trainyard.store import keys
from trainyard.store.connection import connect
from workers import tasks as tasks_module
from workers.devices.gpu_check import GpuCheck
from workers.heartbeat import Presence
from workers.process.child import start_server
from workers.runs import supervisor as supervisor_module
from workers.tasks import Worker

CHILD = "tests.gpu.failing_training"
FAULTS = (ASSERT, "xid", "lost")
CONTENT_HASH = "c0de" * 16


def faults(setting: Setting) -> Iterator[Finding]:
    """Real training processes that fail in their first step; the probe answers as it is told to."""
    os.environ[DEVICE_VARIABLE] = setting.device
    os.environ[FAILURE_VARIABLE] = str(setting.folder / "failure")
    supervisor_module.TRAINING_CHILD = CHILD
    tasks_module.CHECK_AGAIN_S = 0.0
    service = Service(setting.folder, setting.threads)
    with service.redis():
        for number, failure in enumerate(FAULTS):
            yield from _fault(setting, service, number, failure)
        yield from _memory(setting, service, len(FAULTS))
    if setting.on_gpu:
        yield _real_probe()


def _real_probe() -> Finding:
    try:
        found: object = len(GpuCheck(("gpu",)).gpus()) > 0
    except DeviceFault as error:
        found = error.message
    return equal("after a real device assert the GPU passes again", found, True)


class Trial:
    """A worker of the class gpu with a scripted probe, and a run that it is given."""

    def __init__(self, setting: Setting, service: Service, number: int, failure: str) -> None:
        Path(os.environ[FAILURE_VARIABLE]).write_text(failure)
        folder = setting.folder / failure
        folder.mkdir()
        sys.path.insert(0, str(folder))
        self.probe = Probe(folder)
        start_server([CHILD])
        connect(service.redis_url).flushdb()  # the run of the trial before, which waits for another attempt
        settings = replace(Settings(), redis_url=service.redis_url, storage=folder / "storage", threads=1)
        worker = Worker.compose(settings, ("cpu",), "train-1@here")
        check = GpuCheck(("gpu",), self.probe.module)
        self.worker = replace(worker, gpus=check, presence=Presence(worker.workers, ("gpu",), check.gpus()))
        self.run_id = self._submitted(folder, settings, number)

    def _submitted(self, folder: Path, settings: Settings, number: int) -> str:
        data = {"image_size": 32, "batch_size": 2}
        spec = Experiments(REPOSITORY / "configs").compose({"epochs": 1, "data": data})
        run = a_run(number, queue="gpu", dataset_id=f"ds-{number:012x}", dataset_hash=CONTENT_HASH, spec=spec)
        version = Storage(settings.storage).dataset(run.dataset_id).version(CONTENT_HASH)
        version.parent.mkdir(parents=True)
        prepared_set(version, 4, 2, 32, content_hash=CONTENT_HASH)
        connect(settings.redis_url).hset(keys.record("dataset", run.dataset_id), "status", "ready")
        self.worker.runs.submit(run)
        return str(run.id)

    def train(self) -> Any:
        """Let the worker claim what there is; the run afterwards."""
        self.worker.train("gpu")
        return self.worker.runs.get(self.run_id)


def _fault(setting: Setting, service: Service, number: int, failure: str) -> Iterator[Finding]:
    trial = Trial(setting, service, number, failure)
    run = trial.train()
    reason = run.attempts[-1].reason if run.attempts else None
    yield equal(f"{failure}: why the attempt ended", reason, "device_fault")
    trial.probe.answer(SICK)
    sick = trial.train()
    yield equal(
        f"{failure}: status and attempts while the GPU is sick",
        (str(sick.status), len(sick.attempts)),
        (str(RunStatus.QUEUED), 1),
    )
    trial.probe.answer(SOUND)
    yield equal(f"{failure}: attempts once it passes", len(trial.train().attempts), 2)


def _memory(setting: Setting, service: Service, number: int) -> Iterator[Finding]:
    run = Trial(setting, service, number, "cublas").train()
    code = run.error["code"] if run.error else (run.attempts[-1].reason if run.attempts else "none")
    yield equal("text of cuBLAS without memory", code, "cuda_out_of_memory")

"""A stack trains on every GPU of its machine."""

import pytest

from deploy.processes.procfile import chosen, with_worker_per_gpu
from deploy.stack import _commands, stack_gpus
from trainyard.errors import SettingsError
from trainyard.settings import REPOSITORY, Settings

PROCFILE = (REPOSITORY / "Procfile").read_text()


def test_one_gpu_or_none_leaves_the_procfile_as_it_is():
    assert with_worker_per_gpu(PROCFILE, []) == PROCFILE
    assert with_worker_per_gpu(PROCFILE, ["0"]) == PROCFILE
    assert chosen(["web", "worker"], ["0"]) == ["web", "worker"]


def test_each_of_several_gpus_has_a_worker_of_its_own():
    lines = with_worker_per_gpu(PROCFILE, ["1", "GPU-5f"]).splitlines()
    assert [line for line in lines if line.startswith("worker")] == [
        "worker-0: python -m workers train --gpu 1",
        "worker-1: python -m workers train --gpu GPU-5f",
    ]
    assert [line for line in lines if not line.startswith("worker")] == [
        line for line in PROCFILE.splitlines() if not line.startswith("worker")
    ]
    assert chosen(["redis", "worker"], ["1", "GPU-5f"]) == ["redis", "worker-0", "worker-1"]


def test_a_stack_trains_on_the_gpus_that_it_is_shown(monkeypatch: pytest.MonkeyPatch):
    for name, answer in (("Init", None), ("Shutdown", None), ("DeviceGetCount", 2)):
        monkeypatch.setattr(f"pynvml.nvml{name}", lambda answer=answer: answer)
    monkeypatch.setattr("pynvml.nvmlDeviceGetHandleByIndex", lambda index: index)
    monkeypatch.setattr("workers.devices.nvml._figures", lambda handle: handle)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with_gpu, without = Settings(device_classes=("cpu", "gpu")), Settings(device_classes=("cpu",))
    assert (stack_gpus(with_gpu), stack_gpus(without)) == (["0", "1"], [])
    for visible, found in (("3, GPU-5f", ["3", "GPU-5f"]), ("", []), ("-1", [])):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert stack_gpus(with_gpu) == found


def test_the_stack_runs_a_worker_for_each() -> None:
    both = ["0", "1"]
    assert list(_commands([], both)) == ["redis", "web", "worker-0", "worker-1", "ingest", "flower"]
    assert list(_commands(["worker"], both)) == ["worker-0", "worker-1"]
    assert list(_commands(["web", "worker"], ["0"])) == ["web", "worker"]
    with pytest.raises(SettingsError, match="no process flour"):
        _commands(["flour"], both)

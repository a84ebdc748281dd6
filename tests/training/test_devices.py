"""A run computes on the device of its class, and on no other, whatever CUDA says."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from tests.training.conftest import CONFIGS, Run, tiny_spec
from trainyard.errors import DeviceFault
from trainyard.runs.events import AttemptStarted
from trainyard.storage.files import RunFolder
from workers.devices.cuda import CudaFacts, CudaProblem, Gpu, has_kernels, problem_of
from workers.training.compute import devices as devices_module
from workers.training.compute.devices import PROCESSOR, device_of_class

KERNELS = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120")


def facts(**over: object) -> CudaFacts:
    """A machine on which all is well."""
    well: dict[str, object] = {
        "built_for": "13.0",
        "driver": "580.95.05",
        "driver_cuda": (13, 0),
        "kernels": KERNELS,
        "gpus": (Gpu(name="NVIDIA L4", capability=(8, 9), memory_bytes=24 * 2**30),),
    }
    return CudaFacts(**{**well, **over})  # type: ignore[arg-type]


def gpu(*capability: int) -> tuple[Gpu, ...]:
    return (Gpu(name="Some GPU", capability=capability, memory_bytes=1),)  # type: ignore[arg-type]


def test_a_sound_machine_has_no_problem() -> None:
    assert problem_of(facts()) is None
    assert problem_of(facts(built_for="12.8", driver_cuda=(12, 2))) is None, "minor versions go together"


@pytest.mark.parametrize(
    ("over", "said", "is_absence"),
    [
        ({"built_for": None, "kernels": ()}, "without CUDA", True),
        ({"driver": None, "driver_cuda": None, "gpus": ()}, "No NVIDIA driver", True),
        (
            {"driver": "550.54.15", "driver_cuda": (12, 4)},
            r"found 550\.54\.15 \(CUDA 12\.4\); PyTorch .* CUDA 13\.0 and needs driver 580\.65\.06 or newer",
            False,
        ),
        ({"driver": None, "driver_cuda": (12, 4)}, r"found one of CUDA 12\.4; .* 580", False),
        ({"gpus": ()}, "finds no GPU", True),
        ({"gpus": (), "said": "Error 802: system not yet initialized"}, "Error 802", False),
        ({"gpus": gpu(7, 0)}, r"Some GPU has compute capability 7\.0; .* sm_75, sm_80", False),
        ({"gpus": facts().gpus + gpu(6, 1)}, r"capability 6\.1", False),
    ],
)
def test_each_problem_is_said_with_what_was_found_and_wanted(
    over: dict[str, object], said: str, is_absence: bool
) -> None:
    problem = problem_of(facts(**over))
    assert problem is not None
    assert problem.is_absence is is_absence
    assert re.search(said, problem.message), problem.message
    assert problem.remedy


@pytest.mark.parametrize(
    ("capability", "kernels", "can"),
    [
        ((7, 5), KERNELS, True),
        ((8, 9), KERNELS, True),  # runs what was built for 8.6
        ((8, 0), ("sm_86",), False),
        ((9, 0), ("sm_86",), False),
        ((9, 0), ("sm_86", "compute_86"), True),  # compiled by the driver
        ((10, 3), KERNELS, True),
        ((12, 1), KERNELS, True),
        ((7, 0), KERNELS, False),
        ((9, 0), ("sm_90a",), True),
        ((9, 0), (), False),
    ],
)
def test_which_kernels_a_gpu_can_run(
    capability: tuple[int, int], kernels: tuple[str, ...], can: bool
) -> None:
    assert has_kernels(capability, kernels) is can


def _found(monkeypatch: pytest.MonkeyPatch, problem: CudaProblem | None) -> None:
    monkeypatch.setattr(devices_module, "problem_with_cuda", lambda: problem)


def test_the_class_decides_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    _found(monkeypatch, None)
    assert device_of_class("cpu") == PROCESSOR
    assert device_of_class("gpu").type == device_of_class("gpu-large").type == "cuda"
    assert device_of_class(None).type == "cuda"
    _found(monkeypatch, CudaProblem(message="None here.", remedy="", is_absence=True))
    assert device_of_class("cpu") == device_of_class(None) == PROCESSOR
    with pytest.raises(DeviceFault, match=r"None here\."):
        device_of_class("gpu")
    _found(monkeypatch, CudaProblem(message="Too old.", remedy="Upgrade."))
    for name in ("gpu", None):
        with pytest.raises(DeviceFault, match="Too old") as caught:
            device_of_class(name)
        assert caught.value.remedy == "Upgrade."


def test_a_cpu_run_leaves_a_gpu_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What asked for the GPU would fail here, as there is none."""
    _found(monkeypatch, None)
    job = run.job(spec=tiny_spec(data={"image_size": 32, "batch_size": "auto"}, precision="auto"))
    result = run.fit_job(replace(job, device_class="cpu"))
    assert result.status == "completed"
    assert [event.device for event in run.of(AttemptStarted)] == ["cpu"]
    assert not torch.cuda.is_initialized()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_run_does_not_train_on_the_processor(run: Run) -> None:
    with pytest.raises(DeviceFault):
        run.fit_job(replace(run.job(), device_class="gpu"))
    assert not run.of(AttemptStarted)


def test_nothing_in_the_engine_decides_for_itself() -> None:
    engine = Path(devices_module.__file__).parent
    asking = [path.name for path in engine.rglob("*.py") if "cuda.is_available" in path.read_text()]
    assert asking == []


CLUSTERS = [
    {"RANK": "1"},
    {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"},
    {"SLURM_NTASKS": "4", "SLURM_JOB_NAME": "worker", "SLURM_PROCID": "0"},
    {"SLURM_NTASKS_PER_NODE": "4", "SLURM_PROCID": "2", "SLURM_JOB_ID": "7", "SLURM_NTASKS": "4"},
    {"LSB_JOBID": "1", "LSB_DJOB_RANKFILE": "/nowhere", "JSM_NAMESPACE_RANK": "1"},
]


EACH_IN_ITS_OWN = """
import json, os, sys
import workers.training.fit  # and all that it needs
from workers.training.__main__ import main
for environ, arguments in json.loads(sys.argv[1]):
    if os.fork() == 0:
        os.environ.update(environ)
        os._exit(main(arguments))
    print(os.waitstatus_to_exitcode(os.wait()[1]))
"""
"""Trains by each command line in a process whose environment has more; they share the imports."""


@pytest.mark.thorough
def test_a_clusters_environment_changes_nothing(prepared: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(tiny_spec(epochs=1)))
    folders = [tmp_path / f"run-{place}" for place in range(len(CLUSTERS))]
    common = [str(spec), "--prepared", str(prepared), "--threads", "1", "--device", "cpu", "--out"]
    runs = [(environ, [*common, str(folder)]) for environ, folder in zip(CLUSTERS, folders, strict=True)]
    done = subprocess.run(
        [sys.executable, "-c", EACH_IN_ITS_OWN, json.dumps(runs)],
        cwd=CONFIGS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    codes = [line for line in done.stdout.splitlines() if line.lstrip("-").isdigit()]
    assert codes == ["0"] * len(CLUSTERS), done.stderr
    for folder in folders:
        assert RunFolder(folder).metrics_csv.read_text().count("\n") == 2
        assert any((folder / "tensorboard").rglob("events*"))
        shutil.rmtree(folder)

"""What training sets for a GPU, by stubs of one: precision, kernels, threads, loader processes."""

from dataclasses import replace

import pytest
import torch

from tests.training.conftest import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from workers.training.compute.gpu_settings import GPU_THREADS, exact_float32, set_for_training
from workers.training.compute.runtime import resolve_precision
from workers.training.data.loader_count import loader_processes

CUDA, CPU = torch.device("cuda"), torch.device("cpu")


def _state() -> tuple[bool, str, bool, int]:
    return (
        torch.backends.cudnn.benchmark,
        torch.get_float32_matmul_precision(),
        torch.backends.cudnn.allow_tf32,
        torch.get_num_threads(),
    )


@pytest.mark.parametrize("deterministic", [False, True])
def test_a_gpu_has_its_settings_while_it_trains_and_no_longer(deterministic: bool) -> None:
    before = _state()
    with set_for_training(CUDA, deterministic=deterministic):
        precision = "highest" if deterministic else "high"
        assert _state() == (
            not deterministic, precision, not deterministic, min(GPU_THREADS, before[3])
        )  # fmt: skip
        with exact_float32():
            assert _state()[1:3] == ("highest", False)
        assert _state()[1] == precision
    assert _state() == before


def test_an_error_puts_them_back() -> None:
    before = _state()
    with pytest.raises(RuntimeError), set_for_training(CUDA, deterministic=False):
        raise RuntimeError
    assert _state() == before


def test_nothing_is_set_for_a_cpu() -> None:
    before = _state()
    with set_for_training(CPU, deterministic=False):
        assert _state() == before


@pytest.mark.parametrize(
    ("name", "capability", "expected"),
    [
        ("NVIDIA H100 80GB HBM3", (9, 0), "bf16-mixed"),
        ("NVIDIA GeForce RTX 3060", (8, 6), "bf16-mixed"),
        ("Tesla T4", (7, 5), "16-mixed"),
        ("NVIDIA GeForce RTX 2080 Ti", (7, 5), "16-mixed"),
        ("Tesla V100-SXM2-16GB", (7, 0), "16-mixed"),
        ("NVIDIA GeForce GTX 1660 Ti", (7, 5), "32-true"),
        ("NVIDIA GeForce GTX 1080", (6, 1), "32-true"),
    ],
)
def test_auto_takes_the_type_that_the_gpu_has_cores_for(
    name: str, capability: tuple[int, int], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def supported(including_emulation: bool = True) -> bool:
        return including_emulation or capability >= (8, 0)

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: name)
    assert resolve_precision("auto", CUDA) == expected


def _spec(preset: str, workers: int | str) -> TrainingSpec:
    spec = Experiments(CONFIGS).compose({"augmentation": {"preset": preset}})
    return replace(spec, data=replace(spec.data, loader_workers=workers))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("preset", "asked", "device", "cores", "expected"),
    [
        ("strong", "auto", CPU, 64, 0),
        ("none", "auto", CUDA, 64, 4),
        ("light", "auto", CUDA, 64, 8),
        ("medium", "auto", CUDA, 64, 12),
        ("strong", "auto", CUDA, 64, 12),
        ("strong", "auto", CUDA, 8, 7),
        ("light", "auto", CUDA, 1, 0),
        ("light", 3, CUDA, 2, 3),
        ("light", 3, CPU, 2, 3),
    ],
)
def test_loaders_are_as_many_as_feed_the_device(
    preset: str, asked: int | str, device: torch.device, cores: int, expected: int
) -> None:
    assert loader_processes(_spec(preset, asked), cores, for_gpu=device == CUDA) == expected


def test_auto_is_the_default() -> None:
    assert Experiments(CONFIGS).compose({}).data.loader_workers == "auto"

"""Copies of a checkpoint on the host: whole, their own, and of a GPU's tensors by one wait."""

from typing import Any

import pytest
import torch
from torch import Tensor

from workers.training.checkpoints import staging
from workers.training.checkpoints.staging import copied_to_host


def _content() -> dict[str, Any]:
    return {
        "state_dict": {"a": torch.arange(6.0).view(1, 2, 1, 3), "b": torch.ones(3, dtype=torch.int64)},
        "optimizer_states": [{"state": {0: {"step": torch.tensor(3.0)}}, "lr": 0.1}],
        "name": "x",
    }


def _check(copied: dict[str, Any], content: dict[str, Any]) -> None:
    for kept, own in zip(_tensors(content), _tensors(copied), strict=True):
        assert torch.equal(kept, own)
        assert kept.data_ptr() != own.data_ptr()
    assert copied["optimizer_states"][0]["lr"] == 0.1
    assert copied["name"] == "x"


def _tensors(content: dict[str, Any]) -> list[Tensor]:
    return [*content["state_dict"].values(), content["optimizer_states"][0]["state"][0]["step"]]


def test_tensors_of_the_cpu_are_copied_at_once() -> None:
    _check(copied_to_host(content := _content()), content)


class Gpu:
    """Takes the CPU's tensors for a GPU's, and counts what is asked of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waits = 0
        self.pinned: list[int] = []
        self.has_room = True
        real = torch.empty_like

        def empty_like(tensor: Tensor, *, device: str, pin_memory: bool) -> Tensor:
            assert (device, pin_memory) == ("cpu", True)
            if not self.has_room:
                raise RuntimeError("CUDA error: out of memory")
            self.pinned.append(tensor.nbytes)
            return real(tensor)

        def wait() -> None:
            self.waits += 1

        monkeypatch.setattr(staging, "_is_on_gpu", lambda tensor: True)
        monkeypatch.setattr(torch, "empty_like", empty_like)
        monkeypatch.setattr(torch.cuda, "synchronize", wait)


def test_tensors_of_a_gpu_are_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = Gpu(monkeypatch)
    _check(copied_to_host(content := _content()), content)
    assert (gpu.waits, gpu.pinned) == (1, [24, 24, 4])


def test_what_has_no_room_in_pinned_memory_goes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = Gpu(monkeypatch)
    monkeypatch.setattr(staging, "MOST_PINNED", 30)
    _check(copied_to_host(content := _content()), content)
    assert (gpu.waits, gpu.pinned) == (1, [24, 4])


def test_a_system_that_pins_nothing_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gpu = Gpu(monkeypatch)
    gpu.has_room = False
    _check(copied_to_host(content := _content()), content)
    assert (gpu.waits, gpu.pinned) == (0, [])
    assert "without pinned memory" in caplog.text

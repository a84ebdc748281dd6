"""The device that a trained network was looked at on is free for others while its files are written."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from workers.training.checkpoints import trained_network
from workers.training.checkpoints.trained_network import TrainedNetwork
from workers.training.network.normalization import HALF


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done with the device, in order."""
    acts: list[str] = []

    def told(act: str) -> Callable[..., Any]:
        return lambda *_: acts.append(act)

    monkeypatch.setattr(TrainedNetwork, "to", lambda _, device: acts.append(f"to {device}"))
    monkeypatch.setattr(TrainedNetwork, "cpu", told("back to the processor"))
    monkeypatch.setattr(trained_network, "release_memory", told("memory is given back"))
    return acts


@pytest.mark.parametrize("fails", [False, True])
def test_memory_is_given_back_whatever_happens(done: list[str], fails: bool) -> None:
    trained = TrainedNetwork(nn.Conv2d(3, 2, 1), HALF)
    done.clear()  # making it may move it
    try:
        with trained.on(torch.device("cuda")):
            done.append("is looked at")
            if fails:
                raise RuntimeError
    except RuntimeError:
        assert fails
    assert done == ["to cuda", "is looked at", "back to the processor", "memory is given back"]

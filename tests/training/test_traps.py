"""Traps of the libraries beneath, each met once; those of one architecture are in test_architectures.py."""

import copy
import socket
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo
from torch import nn

from tests.training.conftest import CLASS_NAMES, CONFIGS, Run, draw_set, tiny_spec
from trainyard.spec.experiments import Experiments
from workers.training.compute import runtime
from workers.training.engine.attempt import build_attempt
from workers.training.epochs.module import TrainingModule
from workers.training.network.normalization import HALF
from workers.training.tasks.segmentation.objective import SegmentationObjective


def test_a_run_asks_nothing_of_any_hub(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """smp asks one for the input rule of an encoder even where no weights are wanted."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for weights in ("none", "packaged"):
        model = {"architecture": "Unet", "encoder": "timm-tf_efficientnet_lite0", "encoder_weights": weights}
        build_attempt(run.job(spec=tiny_spec(model=model)), run.events.append)


@pytest.mark.parametrize(("architecture", "images"), [("DeepLabV3", 5), ("Unet", 5)])
def test_a_last_batch_of_one_does_not_end_a_run(
    architecture: str, images: int, run_folder: Path, tmp_path: Path
) -> None:
    """DeepLabV3 pools to one pixel, of which batch norm cannot take the variance over one image."""
    run = Run(run_folder, draw_set(tmp_path / "set", train=images, val=1))
    model = {"architecture": architecture, "encoder": "resnet18"}
    result = run.fit(spec=tiny_spec(model=model, data={"image_size": 64, "batch_size": 4}))
    assert result.step == (1 if architecture == "DeepLabV3" else 2)


def test_a_preloaded_jemalloc_is_warned_of(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    line = "7f0000000000-7f0000001000 r-xp 00000000 08:01 1 /usr/lib/libjemalloc.so.2\n"
    (tmp_path / "maps").write_text(line)
    monkeypatch.setattr(runtime, "_MAPS", tmp_path / "maps")
    run.fit()
    (notice,) = run.notices
    assert "jemalloc is preloaded" in notice.message


class TwoLayers(nn.Module):
    """The least that is a network here."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Conv2d(4, 3, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(torch.relu(self.encoder(images)))
        return logits


def test_a_compiled_network_computes_the_same_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs are captured and differentiated as ever; the C++ that torch would write takes a minute."""
    monkeypatch.setattr(nn.Module, "compile", partialmethod(nn.Module.compile, backend="aot_eager"))
    torch._dynamo.reset()
    captured = torch._dynamo.utils.counters["stats"]
    torch.manual_seed(0)
    network, gradients = TwoLayers(), []
    images = torch.randint(0, 256, (2, 16, 16, 3), dtype=torch.uint8)
    for compiled in (False, True):
        before = captured["unique_graphs"]
        spec = Experiments(CONFIGS).compose(tiny_spec(compute={"compile": compiled}))
        loss = SegmentationObjective(spec, CLASS_NAMES, None)
        module = TrainingModule(copy.deepcopy(network), loss, HALF, spec, fused=True)
        loss(module(images), images[..., 0].long() % 3).backward()
        gradients.append(module.network.get_submodule("encoder").weight.grad)
        assert (captured["unique_graphs"] > before) is compiled
        assert set(module.network.state_dict()) == set(network.state_dict())
    assert torch.allclose(gradients[0], gradients[1], atol=1e-6)

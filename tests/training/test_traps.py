"""Traps of the libraries beneath, each met once; those of one architecture are in test_architectures.py."""

import socket
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo
from torch import nn

from tests.training.conftest import Run, draw_set, tiny_spec
from trainyard.events import Notice
from workers.training import runtime
from workers.training.attempt import build_attempt


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
    (notice,) = run.of(Notice)
    assert "jemalloc is preloaded" in notice.message


def test_a_compiled_network_trains_and_its_checkpoint_goes_on_without(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Graphs are captured and differentiated as ever; the C++ that torch would write takes a minute."""
    monkeypatch.setattr(nn.Module, "compile", partialmethod(nn.Module.compile, backend="aot_eager"))
    captured = torch._dynamo.utils.counters["stats"]
    before = captured["unique_graphs"]
    run = Run(run_folder, draw_set(tmp_path / "set", train=2, val=2))
    data = {"image_size": 32, "batch_size": 2}
    result = run.fit(spec=tiny_spec(data=data, compute={"compile": True}))
    assert (result.status, result.step) == ("completed", 1)
    assert captured["unique_graphs"] > before
    torch._dynamo.reset()
    assert run.fit(spec=tiny_spec(data=data), epochs=2, resume=True).step == 2

"""A step of fewer batches than `accumulate_batches` weighs what it has, and the loss told is the loss."""

from typing import Any

import pytest
import torch

from tests.training.conftest import Run, tiny_spec
from trainyard.runs.events import EpochEnd, Progress
from trainyard.storage.files import RunFolder
from workers.training.checkpoints.files import read_checkpoint
from workers.training.engine import progress


def plain_sgd(accumulate: int, batch: int) -> dict[str, Any]:
    """The rate that makes plain steps comparable: no momentum, no decay, no clipping."""
    return tiny_spec(
        precision="32",
        data={"batch_size": batch},
        compute={"deterministic": True},
        optimization={
            "optimizer": "sgd",
            "momentum": 0.0,
            "weight_decay": 0.0,
            "gradient_clip": 0.0,
            "learning_rate": 0.05,
            "accumulate_batches": accumulate,
            "schedule": {"name": "constant", "warmup_fraction": 0.0},
        },
    )


def weights_after(run: Run, spec: dict[str, Any]) -> dict[str, torch.Tensor]:
    run.fit(epochs=1, spec=spec)
    weights: dict[str, torch.Tensor] = read_checkpoint(RunFolder(run.folder).last_checkpoint)["state_dict"]
    return weights


@pytest.mark.parametrize("accumulate", [2, 8, 1024])
def test_one_batch_is_a_whole_step(run: Run, accumulate: int) -> None:
    alone = weights_after(run, plain_sgd(1, batch=12))
    among = weights_after(run, plain_sgd(accumulate, batch=12))
    assert all(torch.allclose(alone[name], among[name], atol=1e-7) for name in alone)


def test_three_batches_weigh_alike_whether_more_were_asked_for(run: Run) -> None:
    all_there = weights_after(run, plain_sgd(3, batch=4))
    fewer = weights_after(run, plain_sgd(7, batch=4))
    assert all(torch.allclose(all_there[name], fewer[name], atol=1e-6) for name in all_there)


@pytest.mark.parametrize("accumulate", [1, 3, 8])
def test_the_live_loss_is_the_loss(run: Run, accumulate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL_SECONDS", 0.0)
    run.fit(epochs=1, spec=plain_sgd(accumulate, batch=4))
    (row,) = run.of(EpochEnd)
    told = [event.loss for event in run.of(Progress) if event.stage == "train" and event.loss is not None]
    mean = row.metrics["train_loss"]
    assert told
    assert all(mean / 2 < loss < mean * 2 for loss in told)

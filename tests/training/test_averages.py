"""Averaged weights are what is validated, saved and used; training goes on with its own."""

import torch

from tests.training.conftest import Run, tiny_spec
from trainyard.runs.events import EpochEnd
from trainyard.storage.files import RunFolder
from workers.training.checkpoints.files import read_checkpoint

CALM = {"preset": "none"}


def test_validation_and_checkpoint_use_the_average(run: Run) -> None:
    run.fit(epochs=2, spec=tiny_spec(augmentation=CALM))
    plain_rows = [event.metrics for event in run.of(EpochEnd)]
    plain = read_checkpoint(RunFolder(run.folder).last_checkpoint)
    run.fit(epochs=2, spec=tiny_spec(augmentation=CALM, optimization={"ema_decay": 0.99}))
    rows = [event.metrics for event in run.of(EpochEnd)]
    averaged = read_checkpoint(RunFolder(run.folder).last_checkpoint)

    assert [row["train_loss"] for row in rows] == [row["train_loss"] for row in plain_rows]
    assert [row["val_loss"] for row in rows] != [row["val_loss"] for row in plain_rows]
    assert averaged["state_dict"].keys() == plain["state_dict"].keys()
    name = "network.segmentation_head.0.weight"
    assert torch.equal(averaged["live_state_dict"][name], plain["state_dict"][name])
    assert not torch.equal(averaged["state_dict"][name], plain["state_dict"][name])
    assert torch.allclose(averaged["state_dict"][name], plain["state_dict"][name], atol=0.1)


def test_an_average_of_one_step_is_that_step(run: Run) -> None:
    run.fit(
        epochs=1, spec=tiny_spec(optimization={"ema_decay": 0.99}, data={"image_size": 32, "batch_size": 12})
    )
    saved = read_checkpoint(RunFolder(run.folder).last_checkpoint)
    for name, live in saved["live_state_dict"].items():
        assert torch.equal(saved["state_dict"][name], live)

"""Detection by the engine: it learns, and epochs, stops, resumes, forks and ends as of any task."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.conftest import CONFIGS, TINY_ENCODER, Run, tiny_spec
from tests.training.detection.conftest import INSTANCES, tiny
from trainyard.runs.events import EpochEnd, SignalApplied, WeightsLoaded
from trainyard.runs.signals import Signals
from trainyard.spec.experiments import Experiments
from trainyard.storage.files import RunFolder
from trainyard.tasks.detection import ARCHITECTURES, MASKED, TERMS
from workers.training.checkpoints.files import read_checkpoint
from workers.training.tasks.detection.network.detector import Target
from workers.training.tasks.detection.network.networks import empty_detector

BOX_SCORES = (
    "map", "map50", "map75", "map_small", "map_medium", "map_large",
    "mar1", "mar10", "mar100", "mar_small", "mar_medium", "mar_large",
)  # fmt: skip


def rows(run: Run) -> list[dict[str, Any]]:
    """What the epochs came to, without what the clock says."""
    clock = ("images_per_second", "epoch_seconds")
    return [
        {name: value for name, value in event.metrics.items() if name not in clock}
        for event in run.of(EpochEnd)
    ]


def spec_of(architecture: str, **over: Any) -> dict[str, Any]:
    if architecture in MASKED:
        return tiny(**{**INSTANCES, **over})
    return tiny(**{"model": {"architecture": architecture}, **over})


@pytest.mark.thorough
def test_it_learns_to_find_shapes(scene_run: Run) -> None:
    spec = tiny(augmentation={"preset": "none"}, optimization={"learning_rate": 0.01})
    result = scene_run.fit(epochs=30, spec=spec)
    found = rows(scene_run)
    assert found[-1]["train_loss"] < 0.5 * found[0]["train_loss"]
    assert result.best["val_map50"] > 0.2


@pytest.mark.variants(2)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_row_has_each_term_of_the_loss_and_the_scores_of_coco(
    run_folder: Path, few_scenes: Path, architecture: str
) -> None:
    run = Run(run_folder, few_scenes)
    run.fit(epochs=1, spec=spec_of(architecture))
    (row,) = rows(run)
    losses = ("loss", *(f"loss_{term}" for term in TERMS[architecture]))
    scores = [*BOX_SCORES]
    if architecture in MASKED:
        scores += [f"mask_{name}" for name in BOX_SCORES]
    of_train = [f"train_{name}" for name in losses]
    of_val = [f"val_{name}" for name in (*losses, *scores, "ap/disc", "ap/box")]
    assert list(row) == ["epoch", "step", "lr", *of_train, *of_val]
    for part in ("train", "val"):
        terms = [row[f"{part}_loss_{term}"] for term in TERMS[architecture]]
        assert row[f"{part}_loss"] == pytest.approx(sum(terms), rel=1e-5)
    assert row["val_map_large"] is None, "there are no objects of that size"
    assert row["val_map"] is not None


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("architecture", "over"),
    [
        ("SSDlite", {"optimization": {"ema_decay": 0.9}}),
        ("FasterRCNN", {"optimization": {"accumulate_batches": 2}}),
    ],
)
def test_a_run_that_is_stopped_goes_on_at_the_very_batch(
    scene_run: Run, architecture: str, over: dict[str, Any]
) -> None:
    """Also where proposals that a loss is of are drawn."""
    spec = spec_of(architecture, **over)
    scene_run.fit(epochs=1, spec=spec)
    expected, weights = rows(scene_run), _weights(scene_run)
    shutil.rmtree(scene_run.folder)

    scene_run.fit(epochs=1, spec=spec, signals={4: Signals(stop="now", stop_version=1)})
    assert rows(scene_run) == []
    scene_run.fit(epochs=1, spec=spec, resume=True)
    assert rows(scene_run) == expected
    assert all(torch.equal(one, weights[name]) for name, one in _weights(scene_run).items())


def test_the_target_moves_while_it_trains(scene_run: Run) -> None:
    result = scene_run.fit(epochs=5, spec=tiny(), signals={3: Signals(epochs=2, epochs_version=1)})
    assert (result.status, result.epoch, result.target) == ("completed", 2, 2)
    assert [event.value for event in scene_run.of(SignalApplied)] == ["2"]


def test_a_frozen_encoder_stays_and_its_heads_learn(scene_run: Run) -> None:
    frozen = {"freeze_encoder_epochs": 1, "learning_rate": 0.01}
    scene_run.fit(epochs=1, spec=tiny(optimization=frozen))
    trained = _weights(scene_run)
    scene_run.fit(epochs=1, spec=tiny(optimization={**frozen, "learning_rate": 0.02}))
    other = _weights(scene_run)
    moved = {name.split(".")[1] for name, tensor in trained.items() if not torch.equal(tensor, other[name])}
    assert moved == {"pyramid", "model"}


def test_it_begins_with_the_encoder_of_a_segmentation(scene_run: Run, prepared: Path, tmp_path: Path) -> None:
    of_masks = Run(tmp_path / "masks", prepared)
    of_masks.fit(epochs=1, spec=tiny_spec())
    checkpoint = RunFolder(of_masks.folder).best_checkpoint
    scene_run.fit(epochs=1, spec=tiny(), init_checkpoint=checkpoint)
    (loaded,) = scene_run.of(WeightsLoaded)
    assert {one.split(".")[0] for one in loaded.skipped} == {"pyramid", "model"}
    shutil.rmtree(of_masks.folder)


def test_epochs_may_be_validated_on_some_images(scene_run: Run) -> None:
    job = scene_run.job(epochs=1, spec=tiny(data={"val_max_images": 3}))
    assert scene_run.fit_job(job).best["val_map"] is not None


def test_a_batch_is_found_for_it(scene_run: Run) -> None:
    assert scene_run.fit(epochs=1, spec=tiny(data={"batch_size": "auto"})).step >= 1


@pytest.mark.thorough
def test_two_processes_score_every_image_once(run_folder: Path, scenes: Path) -> None:
    """What two ranks find is scored together, as of one process."""
    run = Run(run_folder, scenes)
    result = run.fit(epochs=1, spec=tiny(compute={"devices": 2}, data={"batch_size": 2}))
    assert result.best["val_map"] is not None
    assert result.best["val_loss"] > 0


def test_a_term_weighs_what_the_spec_says(scene_run: Run) -> None:
    doubled = [{"name": "detector", "weight": 2.0, "params": {"box": 0.5}}]
    scene_run.fit(epochs=1, spec=tiny(optimization={"losses": doubled}))
    (row,) = rows(scene_run)
    expected = 2 * row["val_loss_classification"] + row["val_loss_box"]
    assert row["val_loss"] == pytest.approx(expected, rel=1e-5)


def test_it_computes_in_bfloat16(scene_run: Run) -> None:
    scene_run.fit(epochs=1, spec=spec_of("RetinaNet", precision="bf16-mixed"))
    (row,) = rows(scene_run)
    assert 0 < row["val_loss"] < 10


@pytest.mark.parametrize("architecture", ["RetinaNet", "SSDlite"])
def test_gradients_of_the_smallest_maps_are_the_same_each_time(architecture: str) -> None:
    """In bfloat16, in which those of a single place were of memory that nobody had written."""
    model = {"architecture": architecture, "encoder": TINY_ENCODER, "encoder_weights": "none"}
    network = empty_detector(Experiments(CONFIGS).compose(tiny(model=model)).model, 2)
    network = network.to(memory_format=torch.channels_last).train()
    images = torch.randn(2, 3, 64, 64).to(memory_format=torch.channels_last)
    truth = [Target(boxes=torch.tensor([[5.0, 5, 40, 40]]), labels=torch.tensor([0]))] * 2
    found = []
    for _ in range(3):
        freed = [torch.full((count,), torch.nan) for count in (100, 1000, 5000, 20_000, 100_000)]
        del freed
        network.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            losses = network(images, truth).losses
        torch.autograd.backward(torch.stack(list(losses.values())).sum())
        found.append({name: one.grad for name, one in network.named_parameters() if one.grad is not None})
    for other in found[1:]:
        assert all(torch.equal(one, other[name]) for name, one in found[0].items())


def _weights(run: Run) -> dict[str, torch.Tensor]:
    """Of the newest checkpoint."""
    found: dict[str, torch.Tensor] = read_checkpoint(RunFolder(run.folder).last_checkpoint)["state_dict"]
    return found

"""Runs that vary images on the device that trains: what is loaded, and that no interruption changes it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.training.classification.conftest import draw_labelled
from tests.training.classification.conftest import tiny as tiny_labelled
from tests.training.conftest import CONFIGS, Run, tiny_spec
from tests.training.detection.conftest import INSTANCES, draw_objects
from tests.training.detection.conftest import tiny as tiny_objects
from trainyard.runs.events import EpochEnd
from trainyard.runs.signals import Signals
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from trainyard.storage.files import RunFolder
from workers.prepared.version import IGNORE_INDEX, PreparedClass, PreparedDataset, PreparedWriter
from workers.training.checkpoints.files import read_checkpoint
from workers.training.data.loader_count import loader_processes
from workers.training.tasks.classification.data.batches import ClassificationData
from workers.training.tasks.classification.objective import ClassificationObjective
from workers.training.tasks.detection.data.batches import DetectionData
from workers.training.tasks.segmentation.data.batches import SegmentationData
from workers.training.variation.batches import varied

EXPERIMENTS = Experiments(CONFIGS)
TIMES = ("images_per_second", "epoch_seconds")
DRAIN = Signals(drain=True)


def composed(base: Any, device: str = "training", **over: Any) -> TrainingSpec:
    augmentation = {"preset": "light", **over.pop("augmentation", {}), "device": device}
    return EXPERIMENTS.compose(base(**over, augmentation=augmentation))


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> PreparedDataset:
    """Smooth images of 300 x 280 pixels with patches of two classes."""
    folder = tmp_path_factory.mktemp("fields")
    classes = [
        PreparedClass(index=place, name=str(place), value=place, color=(0, 0, place)) for place in (0, 1)
    ]
    y, x = np.mgrid[:300, :280]
    with PreparedWriter(folder) as writer:
        for place in range(6):
            image = np.stack([np.sin(x / (9 + place)) * 100 + 120, x * 0.9, y * 0.8], axis=-1)
            writer.append(str(place), image.astype(np.uint8), ((x // 40 + y // 40) % 2).astype(np.uint8))
        splits = {str(place): "train" if place < 4 else "val" for place in range(6)}
        writer.finish(splits, classes, (0.5, 0.5, 0.5), (0.3, 0.3, 0.3), "fields")
    return PreparedDataset(folder)


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "crop"])
@pytest.mark.parametrize("scale", [[0.9, 1.2], [0.3, 0.5]], ids=["near", "far"])
def test_a_square_is_what_it_would_be_on_the_cpu(
    fields: PreparedDataset, fit: str, scale: list[float]
) -> None:
    """Also of crops that show more of an image than is loaded of it: that is made smaller before."""
    affine = {"name": "Affine", "params": {"scale": scale, "rotate": [-20, 20], "p": 0.9}}
    over: dict[str, Any] = {
        "data": {"fit": fit, "image_size": 64, "batch_size": 2},
        "augmentation": {"preset": "custom", "transforms": [affine]},
    }
    drawn = SegmentationData(fields, composed(tiny_spec, **over))
    plain = SegmentationData(fields, composed(tiny_spec, "cpu", **over))
    far = scale[0] < 0.5
    for place in range(4):
        batch = drawn.train_dataloader().collate_fn([drawn.train[3, place]])
        item = plain.train[3, place]
        made = varied(batch, 64, {"mask": IGNORE_INDEX})
        difference = np.abs(made["image"][0].numpy().astype(int) - item["image"].numpy())  # type: ignore[attr-defined]
        assert difference.mean() < (6 if far and fit == "crop" else 0.5)
        agreed = (made["mask"][0] == item["mask"]).float().mean()
        assert agreed > (0.93 if far and fit == "crop" else 0.995)


def test_a_crop_without_maps_is_cut_and_no_larger(fields: PreparedDataset) -> None:
    colours = [{"name": "RandomGamma", "params": {"p": 0}}]
    over: dict[str, Any] = {
        "data": {"fit": "crop", "image_size": 32, "batch_size": 2},
        "augmentation": {"preset": "custom", "transforms": colours},
    }
    drawn = SegmentationData(fields, composed(tiny_spec, **over)).train[0, 1]
    plain = SegmentationData(fields, composed(tiny_spec, "cpu", **over)).train[0, 1]
    assert torch.equal(drawn["image"], plain["image"])  # type: ignore[arg-type]
    assert torch.equal(drawn["mask"], plain["mask"])  # type: ignore[arg-type]


def test_processes_load_the_same_and_validation_is_as_it_is(fields: PreparedDataset) -> None:
    loaded = []
    for workers in (0, 2):
        spec = composed(tiny_spec, data={"image_size": 64, "batch_size": 3, "loader_workers": workers})
        data = SegmentationData(fields, spec)
        (first, *_), (seen, *_) = data.train_dataloader(), data.val_dataloader()
        assert "changes" not in seen
        assert varied(seen, 64) is seen
        loaded.append(varied(first, 64, {"mask": IGNORE_INDEX}))
    assert torch.equal(loaded[0]["image"], loaded[1]["image"])
    assert torch.equal(loaded[0]["mask"], loaded[1]["mask"])


@pytest.mark.parametrize("masked", [True, False])
def test_objects_come_varied_as_their_image_will_be(tmp_path: Path, masked: bool) -> None:
    prepared = PreparedDataset(draw_objects(tmp_path, train=8, val=4))
    turned = {"name": "Affine", "params": {"rotate": [-30, 30], "scale": [0.8, 1.2], "p": 1}}
    parts: dict[str, Any] = {"augmentation": {"preset": "custom", "transforms": [turned]}}
    spec = composed(tiny_objects, **parts, **(INSTANCES if masked else {}))
    data = DetectionData(prepared, spec, for_gpu=False, cores=1)
    seen = 0
    for batch in data.train_dataloader():
        made = varied(batch, 64)
        images, place = made["image"].numpy(), 0
        for image, count in zip(images, batch["counts"], strict=True):
            for box, label in zip(
                batch["boxes"][place : place + count].numpy(),
                batch["labels"][place : place + count].numpy(),
                strict=True,
            ):
                left, top, right, bottom = np.clip(box.round().astype(int), 0, 64)
                middle = image[(top + bottom) // 2, (left + right) // 2].astype(int)
                wanted = (220, 60, 60) if label == 0 else (60, 60, 220)
                whole = right < 63 and bottom < 63 and left > 1 and top > 1
                assert not whole or np.abs(middle - wanted).max() < 60
                seen += whole
            if masked:
                for mask in batch["masks"][place : place + count].numpy():
                    bright = image.max(axis=2) > 150
                    assert bright[mask > 0].mean() > 0.85
            place += count
    assert seen > 3


def test_what_is_hardly_in_the_image_is_not_learnt(tmp_path: Path) -> None:
    prepared = PreparedDataset(draw_objects(tmp_path, train=8, val=4))
    away = {"translate_percent": {"x": [0.5, 0.5], "y": [0, 0]}, "scale": [1, 1], "p": 1.0}
    counts = []
    for least in (0.0, 0.9):
        transforms = [{"name": "Affine", "params": away}]
        parts = {"preset": "custom", "transforms": transforms, "min_visibility": least}
        data = DetectionData(prepared, composed(tiny_objects, augmentation=parts), for_gpu=False, cores=1)
        batches = [*data.train_dataloader()]
        counts.append(sum(sum(batch["counts"]) for batch in batches))
        assert all((batch["boxes"] <= 64).all() and (batch["boxes"] >= 0).all() for batch in batches)
    assert counts[0] > counts[1] > 0


def test_images_are_varied_before_they_are_blended(tmp_path: Path) -> None:
    prepared = PreparedDataset(draw_labelled(tmp_path, train=4, val=3))
    flip = {"preset": "custom", "transforms": [{"name": "HorizontalFlip", "params": {"p": 1}}]}
    made = []
    for device in ("training", "cpu"):
        spec = composed(tiny_labelled, device, augmentation={**flip, "mixup_alpha": 0.5})
        data = ClassificationData(prepared, spec, for_gpu=False, cores=1)
        batch = next(iter(data.train_dataloader()))
        torch.manual_seed(3)
        made.append(ClassificationObjective(spec, ("a", "b", "c"), None).varied(batch))  # type: ignore[arg-type]
    assert torch.equal(made[0]["image"], made[1]["image"])
    assert torch.equal(made[0]["label"], made[1]["label"])  # type: ignore[typeddict-item]


def test_few_processes_feed_a_device_that_varies() -> None:
    strong = {"preset": "medium"}
    counts = [
        loader_processes(composed(tiny_spec, device, augmentation=strong), 16, for_gpu=True)
        for device in ("cpu", "training")
    ]
    assert counts == [12, 4]


BASES = {"segmentation": tiny_spec, "classification": tiny_labelled, "detection": tiny_objects}


@pytest.mark.variants(1)
@pytest.mark.parametrize("task", BASES)
def test_a_run_that_is_interrupted_sees_the_same_images(task: str, run_folder: Path, request: Any) -> None:
    """Within an epoch, and with noise: its weights are those of an unbroken one, to the bit."""
    sets = {"segmentation": "prepared", "classification": "labelled_set", "detection": "object_set"}
    noise = {"name": "GaussNoise", "params": {"p": 0.5}}
    light = EXPERIMENTS.compose(BASES[task]()).to_dict()["augmentation"]["transforms"]
    spec = BASES[task](
        augmentation={"preset": "custom", "transforms": [*light, noise], "device": "training"},
        compute={"deterministic": True},
    )
    run = Run(run_folder, request.getfixturevalue(sets[task]))
    run.fit(epochs=2, spec=spec)
    unbroken = rows_of(run)
    expected = read_checkpoint(RunFolder(run.folder).last_checkpoint)["state_dict"]

    left = run.fit(epochs=2, spec=spec, signals={4: DRAIN})
    rows = rows_of(run)
    run.fit(epochs=2, spec=spec, resume=True)

    assert left.status == "drained"
    assert left.step in (1, 2)
    assert rows + rows_of(run) == unbroken
    reached = read_checkpoint(RunFolder(run.folder).last_checkpoint)["state_dict"]
    assert all(torch.equal(reached[name], expected[name]) for name in expected)


@pytest.fixture(scope="module")
def labelled_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_labelled(tmp_path_factory.mktemp("labelled"), train=12, val=9)


@pytest.fixture(scope="module")
def object_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_objects(tmp_path_factory.mktemp("objects"), train=12, val=8)


def rows_of(run: Run) -> list[dict[str, Any]]:
    """The metrics of each epoch, but for what a clock says."""
    return [
        {name: value for name, value in event.metrics.items() if name not in TIMES}
        for event in run.of(EpochEnd)
    ]

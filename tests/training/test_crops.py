"""Squares at an image's own scale: where they lie, what they hold, and that validation misses nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.training.conftest import CONFIGS, Run, tiny_spec
from trainyard.spec.experiments import Experiments
from workers.prepared.version import IGNORE_INDEX, PreparedClass, PreparedDataset, PreparedWriter, Uint8
from workers.training.tasks.segmentation.data.batches import SegmentationData
from workers.training.tasks.segmentation.data.crops import cut, random_corner, rare_classes, tile_corners
from workers.training.tasks.segmentation.data.squares import SegmentationDataset, plain_squares

CLASSES = [
    PreparedClass(index=index, name=str(index), value=index, color=(0, 0, index * 100)) for index in range(2)
]
SIDE = 32


def _scene(height: int, width: int) -> tuple[Uint8, Uint8]:
    image = np.random.default_rng(0).integers(1, 255, (height, width, 3), dtype=np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[3:6, 4:7] = 1
    return image, mask


@pytest.fixture
def speck(tmp_path: Path) -> PreparedDataset:
    """Four images of 100 x 90 pixels with nine pixels of the second class in a corner."""
    with PreparedWriter(tmp_path / "speck") as writer:
        for place in range(4):
            writer.append(str(place), *_scene(100, 90))
        splits = {str(place): "train" if place < 2 else "val" for place in range(4)}
        writer.finish(splits, CLASSES, (0.5, 0.5, 0.5), (0.3, 0.3, 0.3), "speck")
    return PreparedDataset(tmp_path / "speck")


def _data(prepared: PreparedDataset, chance: float, preset: str = "none") -> SegmentationData:
    crop = {"fit": "crop", "image_size": SIDE, "batch_size": 2, "rare_class_chance": chance}
    spec = tiny_spec(data=crop, augmentation={"preset": preset})
    return SegmentationData(prepared, Experiments(CONFIGS).compose(spec))


def _arrays(squares: SegmentationDataset, epoch: int, index: int) -> tuple[Uint8, Uint8]:
    item: dict[str, Any] = squares[epoch, index]
    return item["image"].numpy(), item["mask"].numpy()


@pytest.mark.parametrize("corner", [(0, 0), (20, 10), (-7, 60), (90, -31), (-200, 0)])
def test_a_cut_is_the_image_where_there_is_one_and_ignored_beyond(corner: tuple[int, int]) -> None:
    image, mask = _scene(60, 80)
    square, labels = cut(image, mask, corner, SIDE, IGNORE_INDEX)
    assert (square.shape, labels.shape) == ((SIDE, SIDE, 3), (SIDE, SIDE))
    for row, column in ((0, 0), (5, 5), (31, 0), (31, 31)):
        y, x = corner[0] + row, corner[1] + column
        within = 0 <= y < 60 and 0 <= x < 80
        assert labels[row, column] == (mask[y, x] if within else IGNORE_INDEX)
        assert np.array_equal(square[row, column], image[y, x] if within else (0, 0, 0))


@pytest.mark.parametrize(("height", "width"), [(100, 90), (32, 32), (20, 90), (100, 10), (5, 5)])
def test_random_crops_stay_inside_or_hold_the_whole_side(height: int, width: int) -> None:
    mask = np.zeros((height, width), np.uint8)
    corners = {random_corner(mask, SIDE, [], np.equal, np.random.default_rng(seed)) for seed in range(50)}
    for top, left in corners:
        for start, side in ((top, height), (left, width)):
            assert (0 <= start <= side - SIDE) if side >= SIDE else start == (side - SIDE) // 2
    assert (len(corners) > 1) is (max(height, width) > SIDE)


def test_sought_classes_are_found_wherever_they_are() -> None:
    mask = np.zeros((300, 200), np.uint8)
    mask[280, 10] = 3
    for seed in range(20):
        top, left = random_corner(mask, SIDE, [2, 3], np.equal, np.random.default_rng(seed))
        assert (mask[top : top + SIDE, left : left + SIDE] == 3).any()


def test_a_class_is_rare_below_half_of_its_even_share() -> None:
    assert rare_classes(np.array([700, 160, 120, 20, 0])) == [3]
    assert rare_classes(np.array([58, 42])) == []


@pytest.mark.parametrize(("preset", "least"), [("none", 1.0), ("light", 0.7)])
def test_training_crops_look_for_the_rare_class(speck: PreparedDataset, preset: str, least: float) -> None:
    shares = []
    for chance in (0.0, 1.0):
        data = _data(speck, chance, preset)
        masks = [_arrays(data.train, epoch, 0)[1] for epoch in range(60)]
        shares.append(np.mean([(mask == 1).any() for mask in masks]))
    assert shares[0] < 0.5
    assert shares[1] >= least


def test_crops_repeat_with_the_seed_and_vary_with_the_epoch(speck: PreparedDataset) -> None:
    squares = _data(speck, 0.5, "light").train
    first, again, later = (_arrays(squares, epoch, 1) for epoch in (0, 0, 1))
    assert np.array_equal(first[0], again[0])
    assert not np.array_equal(first[0], later[0])


def test_validation_takes_every_pixel_once(speck: PreparedDataset) -> None:
    val = _data(speck, 0.5).val
    assert len(val) == 2 * 4 * 3 == len(val.samples)
    counts = torch.zeros(256, dtype=torch.int64)
    for index in range(len(val)):
        counts += torch.bincount(
            torch.from_numpy(_arrays(val, 0, index)[1]).reshape(-1).long(), minlength=256
        )
    assert counts[:2].tolist() == [2 * (100 * 90 - 9), 2 * 9]
    assert len(tile_corners(100, 90, SIDE)) == 12


def test_what_is_looked_at_after_training_is_cut_as_validation_is(speck: PreparedDataset) -> None:
    """The test split too, whose scale would else be another than the one that was learnt."""
    val = _data(speck, 0.5).val
    spec = Experiments(CONFIGS).compose(tiny_spec(data={"image_size": SIDE, "fit": "crop"}))
    plain = plain_squares(speck, list(dict.fromkeys(val.samples)), spec)
    assert len(plain) == len(val)
    for place in (0, len(val) - 1):
        for one, other in zip(_arrays(plain, 0, place), _arrays(val, 0, place), strict=True):
            assert np.array_equal(one, other)


def test_a_run_on_crops_trains(run: Run) -> None:
    spec = tiny_spec(data={"image_size": 32, "batch_size": 4, "fit": "crop"})
    result = run.fit(epochs=1, spec=spec)
    assert (result.status, result.step) == ("completed", 3)

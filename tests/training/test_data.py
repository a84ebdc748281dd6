"""Splits, batches, squares and augmentation."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import CONFIGS, tiny_spec
from trainyard.errors import BadDataset, InvalidModel, InvalidRequest
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec, TransformSpec
from workers.prepared.version import IGNORE_INDEX, PreparedDataset, Sample
from workers.training.data.loaders import drops_last
from workers.training.data.sampler import EpochSampler
from workers.training.data.splits import split_samples
from workers.training.tasks.segmentation.data.augmentation import Augmentation
from workers.training.tasks.segmentation.data.batches import SegmentationData
from workers.training.tasks.segmentation.data.resizing import to_square


def _spec(architecture: str = "Unet", batch: int = 4) -> TrainingSpec:
    return Experiments(CONFIGS).compose(
        tiny_spec(
            model={"architecture": architecture, "encoder": "resnet18"},
            data={"image_size": 32, "batch_size": batch},
        )
    )


def _samples(*splits: str) -> list[Sample]:
    return [
        Sample(name=f"{place}", split=split, height=1, width=1, image_offset=0, mask_offset=0)
        for place, split in enumerate(splits)
    ]


def test_a_set_keeps_its_own_split() -> None:
    train, val = split_samples(_samples("train", "val", "test", "train"), None, seed=0)
    assert ([s.name for s in train], [s.name for s in val]) == (["0", "3"], ["1"])


@pytest.mark.parametrize(("fraction", "expected"), [(None, 2), (0.5, 5), (0.01, 1), (0.9, 9)])
def test_a_split_is_drawn_by_seed_and_leaves_the_test_images_out(
    fraction: float | None, expected: int
) -> None:
    samples = _samples(*["train"] * 10, "test")
    train, val = split_samples(samples, fraction, seed=5)
    assert len(val) == expected
    assert sorted(int(s.name) for s in train + val) == list(range(10))
    assert split_samples(samples, fraction, seed=5) == (train, val)
    assert split_samples(samples, 0.5, seed=6) != split_samples(samples, 0.5, seed=5)


@pytest.mark.parametrize("taught", [{3}, {0, 9}, {4, 5}, {7, 8, 9}, set()])
@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.5, 0.99])
def test_each_side_of_a_drawn_split_has_something_to_learn(taught: set[int], fraction: float) -> None:
    """The only image to learn from trains; whatever was drawn well stays."""
    samples = _samples(*["train"] * 10)
    for seed in range(20):
        train, val = split_samples(samples, fraction, seed, None, lambda one: int(one.name) in taught)
        plain = split_samples(samples, fraction, seed)
        sides = [{int(one.name) for one in side} for side in (train, val)]
        assert [len(side) for side in sides] == [len(side) for side in plain]
        assert sorted(sides[0] | sides[1]) == list(range(10))
        assert bool(sides[0] & taught) == bool(taught)
        assert bool(sides[1] & taught) == (len(taught) > 1)
        if all({int(one.name) for one in side} & taught for side in plain):
            assert (train, val) == plain


def test_copies_of_one_image_are_drawn_together() -> None:
    samples = [
        replace(sample, digest=str(place // 3)) for place, sample in enumerate(_samples(*["train"] * 12))
    ]
    for seed in range(5):
        train, val = split_samples(samples, 0.25, seed=seed)
        assert len(val) == 3
        assert not {s.digest for s in train} & {s.digest for s in val}


def test_a_fold_validates_and_the_others_train() -> None:
    splits = _samples("train", "val", "test", "train", "train", "unused")
    samples = [
        replace(sample, fold=fold) for sample, fold in zip(splits, (0, 1, None, 1, 2, None), strict=True)
    ]
    train, val = split_samples(samples, None, seed=0, split_index=1)
    assert ([s.name for s in train], [s.name for s in val]) == (["0", "4"], ["1", "3"])


@pytest.mark.parametrize("folds", [(None, None), (0, 1)])
def test_a_fold_that_the_set_does_not_have_is_refused(folds: tuple[int | None, int | None]) -> None:
    samples = [replace(s, fold=fold) for s, fold in zip(_samples("train", "val"), folds, strict=True)]
    with pytest.raises(BadDataset, match="split_index is 2"):
        split_samples(samples, None, seed=0, split_index=2)


def test_one_image_cannot_be_split() -> None:
    with pytest.raises(BadDataset, match="at least two"):
        split_samples(_samples("train", "test"), None, seed=0)


@pytest.mark.parametrize(
    ("architecture", "batch", "images", "dropped"),
    [
        ("Unet", 4, 9, False),
        ("DeepLabV3", 4, 9, True),
        ("DeepLabV3", 4, 10, False),
        ("DeepLabV3", 8, 3, False),
    ],
)
def test_only_an_illegal_last_batch_is_dropped(
    architecture: str, batch: int, images: int, dropped: bool
) -> None:
    assert drops_last(_spec(architecture, batch), images) is dropped


@pytest.mark.parametrize(("batch", "images"), [(1, 9), (4, 1)])
def test_batches_too_small_for_the_architecture_are_refused(batch: int, images: int) -> None:
    with pytest.raises(InvalidModel, match="DeepLabV3 trains on batches of at least 2"):
        drops_last(_spec("DeepLabV3", batch), images)


def test_order_changes_with_the_epoch_and_not_with_the_run() -> None:
    sampler = EpochSampler(20, seed=1, epoch=0, shuffled=True)
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    assert {epoch for epoch, _ in second} == {1}
    assert sorted(i for _, i in first) == sorted(i for _, i in second) == list(range(20))
    assert [i for _, i in first] != [i for _, i in second]
    assert list(EpochSampler(20, seed=1, epoch=1, shuffled=True)) == second


def test_images_vary_from_epoch_to_epoch_and_repeat_with_the_seed(prepared: Path) -> None:
    squares = SegmentationData(PreparedDataset(prepared), _spec()).train
    images = [squares[epoch, 0]["image"].numpy() for epoch in (0, 0, 1)]
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_validation_images_are_not_varied(prepared: Path) -> None:
    squares = SegmentationData(PreparedDataset(prepared), _spec()).val
    assert np.array_equal(squares[0, 0]["image"], squares[1, 0]["image"])


def test_what_moves_in_from_outside_is_ignored() -> None:
    shift = TransformSpec(name="Affine", params={"translate_percent": [0.5, 0.5], "p": 1.0})
    image, mask = np.full((20, 20, 3), 200, np.uint8), np.ones((20, 20), np.uint8)
    _, moved = Augmentation([shift], IGNORE_INDEX)(image, mask, [0])
    assert set(np.unique(moved)) == {1, IGNORE_INDEX}
    assert (moved[:8, :8] == IGNORE_INDEX).all()


@pytest.mark.parametrize(
    ("params", "problem"), [({"angle": 3}, "takes no angle"), ({"scale": "big"}, "scale"), ({"p": 7}, "p")]
)
def test_wrong_parameters_name_their_transform(params: dict[str, object], problem: str) -> None:
    fine = TransformSpec(name="HorizontalFlip", params={"p": 0.5})
    with pytest.raises(InvalidRequest, match=r"spec\.augmentation\.transforms\[1\]") as caught:
        Augmentation([fine, TransformSpec(name="Affine", params=params)], IGNORE_INDEX)
    assert problem in str(caught.value.errors["spec"]["augmentation"]["transforms"]["1"])


def test_letterbox_keeps_the_shape_and_ignores_the_borders() -> None:
    image, mask = np.full((10, 20, 3), 9, np.uint8), np.ones((10, 20), np.uint8)
    square, labels = to_square(image, mask, 40, "letterbox", IGNORE_INDEX)
    assert square.shape == (40, 40, 3)
    assert (labels[:10] == IGNORE_INDEX).all()
    assert (labels[30:] == IGNORE_INDEX).all()
    assert (labels[10:30] == 1).all()
    assert (square[10:30] == 9).all()


@pytest.mark.parametrize("size", [40, 80], ids=["to a third", "to two thirds"])
def test_shrinking_skips_no_pixel(size: int) -> None:
    stripes = np.zeros((120, 120, 3), np.uint8)
    stripes[:, ::2] = 255
    square, _ = to_square(stripes, np.zeros((120, 120), np.uint8), size, "stretch", 255)
    assert 40 < square.min() < square.max() < 215


def test_stretch_adds_no_mask_value() -> None:
    mask = np.zeros((30, 50), np.uint8)
    mask[10:, 20:] = 7
    mask[0, 0] = IGNORE_INDEX
    _, labels = to_square(np.zeros((30, 50, 3), np.uint8), mask, 64, "stretch", IGNORE_INDEX)
    assert labels.shape == (64, 64)
    assert set(np.unique(labels)) <= {0, 7, IGNORE_INDEX}


def test_one_class_is_no_task(prepared: Path) -> None:
    dataset = PreparedDataset(prepared)
    dataset.classes = dataset.classes[:1]
    spec = _spec()
    with pytest.raises(BadDataset, match="two classes"):
        SegmentationData(dataset, replace(spec, epochs=1))

"""Crops as they were until they came to be varied in one warp: cut larger by a quarter on each side, varied
transform by transform, and the middle cut out."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import albumentations as A
import cv2
import numpy as np

from trainyard.spec.training_spec import TrainingSpec
from workers.prepared.version import IGNORE_INDEX, PreparedDataset, PreparedWriter
from workers.training.data.splits import split_samples
from workers.training.tasks.segmentation.data.augmentation import CROP_MARGIN
from workers.training.tasks.segmentation.data.crops import cut, random_corner, rare_classes
from workers.training.tasks.segmentation.labels.class_weights import count_pixels
from workers.training.tasks.segmentation.labels.mask_labels import has_class


def wide_crops(prepared: PreparedDataset, spec: TrainingSpec) -> Callable[[int, int], object]:
    """Makes an image of the training split, given the epoch and its place, as a run of the spec did."""
    samples, _ = split_samples(prepared.samples, None, spec.seed)
    rare = rare_classes(count_pixels(prepared, samples))
    size = spec.data.image_size
    margin = round(size * CROP_MARGIN)
    pipeline = A.Compose([_built(made.name, made.params) for made in spec.augmentation.transforms])

    def make(epoch: int, place: int) -> object:
        numbers = np.random.default_rng([spec.seed, epoch, place, 1])
        sought = rare if numbers.random() < spec.data.rare_class_chance else []
        image, mask = prepared.image(samples[place]), prepared.mask(samples[place])
        has = partial(has_class, task=prepared.task, classes=len(prepared.classes))
        top, left = random_corner(
            mask,
            size,
            sought,
            has,
            numbers,
        )
        wide = cut(image, mask, (top - margin, left - margin), size + 2 * margin, IGNORE_INDEX)
        numbers = np.random.default_rng([spec.seed, epoch, place])
        pipeline.set_random_state(numbers, random.Random(int(numbers.integers(2**32))))  # noqa: S311
        varied = pipeline(image=wide[0], mask=wide[1])
        return cut(varied["image"], varied["mask"], (margin, margin), size, IGNORE_INDEX)

    return make


def _built(name: str, params: dict[str, object]) -> A.BasicTransform:
    kind = getattr(A, name)
    moves = issubclass(kind, A.DualTransform) and name in ("Affine", "Perspective")
    return kind(**{**({"fill_mask": IGNORE_INDEX} if moves else {}), **params})


def doubled(prepared: PreparedDataset, folder: Path) -> PreparedDataset:
    """The set with images of twice the height and width."""
    with PreparedWriter(folder) as writer:
        for sample in prepared.samples:
            size = (2 * sample.width, 2 * sample.height)
            image = cv2.resize(prepared.image(sample), size, interpolation=cv2.INTER_LINEAR)
            mask = cv2.resize(prepared.mask(sample), size, interpolation=cv2.INTER_NEAREST)
            writer.append(sample.name, np.asarray(image, np.uint8), np.asarray(mask, np.uint8))
        splits = {sample.name: sample.split for sample in prepared.samples}
        writer.finish(splits, prepared.classes, prepared.mean, prepared.std, "doubled")
    return PreparedDataset(folder)

"""Which images of a prepared set train and which validate, and how their objects come into a batch."""

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from trainyard.catalog.names import WHERE_IT_TRAINS
from trainyard.errors import BadDataset
from trainyard.runs.taught_images import untaught
from trainyard.spec.training_spec import TrainingSpec
from trainyard.tasks.detection import DETECTION, INSTANCES
from workers.prepared.version import PreparedDataset, Sample
from workers.training.data.loaders import Batch, RunData, SampleSets
from workers.training.data.splits import split_samples
from workers.training.data.spread_places import spread_places
from workers.training.tasks.detection.data.drawn_squares import DrawnSquares
from workers.training.tasks.detection.data.squares import Squares, VariedSquares, plain_squares
from workers.training.tasks.detection.labels.objects import SquareObjects
from workers.training.tasks.detection.labels.truth import Scenes
from workers.training.variation.batches import Collate, with_drawn

_PIXEL_BYTES = 3
_MASKS_OF_IMAGE = 16
"""Objects of an image, as far as shared memory is concerned: each has a mask of a byte for each pixel."""


class ObjectBatch(Batch):
    """The objects of all images, one after the other: `boxes` (M, 4) float32, `labels` (M,) int64 and, of
    instances, `masks` (M, S, S) uint8, else None; `counts` says how many are of each image. `scenes` are what
    detections are compared with."""

    boxes: Tensor
    labels: Tensor
    masks: Tensor | None
    counts: list[int]
    scenes: Scenes


class DetectionData(RunData):
    """The loaders of a run. Raises BadDataset, InvalidModel or InvalidRequest before any batch is made."""

    train: Squares
    val: Squares
    epoch_val: Squares

    def __init__(self, prepared: PreparedDataset, spec: TrainingSpec, *, for_gpu: bool, cores: int) -> None:
        train, val = split_with_objects(prepared, spec)
        super().__init__(
            len(train),
            lambda: _sets(prepared, train, val, spec),
            spec,
            for_gpu=for_gpu,
            cores=cores,
        )


def split_with_objects(prepared: PreparedDataset, spec: TrainingSpec) -> tuple[list[Sample], list[Sample]]:
    """Training and validation samples, both with objects; raises BadDataset."""
    wanted = "outlines" if spec.model.task == INSTANCES else "boxes"
    if wanted not in prepared.kinds:
        raise BadDataset(f"The images of the set have no {wanted}.")

    def teaches(sample: Sample) -> bool:
        return bool((~prepared.objects(sample).crowd).any())

    train, val = split_samples(
        prepared.samples, spec.data.val_fraction, spec.seed, spec.data.split_index, teaches
    )
    for part, samples in (("train", train), ("val", val)):
        if not any(map(teaches, samples)):
            raise untaught(part, DETECTION.kind, spec.data)
    return train, val


def collate(items: list[dict[str, Any]]) -> ObjectBatch:
    """A batch of the items of `Squares`."""
    objects: list[SquareObjects] = [item["objects"] for item in items]
    masks = [one.masks for one in objects if one.masks is not None]
    return ObjectBatch(
        image=torch.stack([item["image"] for item in items]),
        name=[item["name"] for item in items],
        boxes=torch.from_numpy(np.concatenate([one.boxes for one in objects])),
        labels=torch.from_numpy(np.concatenate([one.classes for one in objects])),
        masks=torch.from_numpy(np.concatenate(masks)) if masks else None,
        counts=[len(one.boxes) for one in objects],
        scenes=Scenes([item["truth"] for item in items]),
    )


def _sets(
    prepared: PreparedDataset, train: list[Sample], val: list[Sample], spec: TrainingSpec
) -> SampleSets:
    # Every rank must have something to validate.
    most = spec.data.val_max_images and max(spec.data.val_max_images, spec.compute.device_count)
    drawn = spec.augmentation.device == WHERE_IT_TRAINS
    masks = _MASKS_OF_IMAGE if spec.model.task == INSTANCES else 0
    return SampleSets(
        train=(DrawnSquares if drawn else VariedSquares)(prepared, train, spec),
        val=plain_squares(prepared, val, spec),
        epoch_val=plain_squares(prepared, spread_subset(prepared, val, most, spec.seed), spec),
        sample_bytes=spec.data.image_size**2 * (_PIXEL_BYTES + masks),
        collate=with_drawn(cast("Collate", collate)) if drawn else collate,
    )


def spread_subset(
    prepared: PreparedDataset, samples: list[Sample], most: int | None, seed: int
) -> list[Sample]:
    """At most that many of the samples, in their own order, with every class among their objects; all of them
    for None or a number as large."""
    if most is None or most >= len(samples):
        return samples
    every = np.arange(len(prepared.object_classes))
    present = np.array([np.isin(every, prepared.objects(sample).classes) for sample in samples])
    order = np.random.default_rng(seed).permutation(len(samples))
    return [samples[place] for place in sorted(order[spread_places(present[order], most)])]

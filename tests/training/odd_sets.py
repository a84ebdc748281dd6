"""Sets of labels and of objects at the ends of what ingest lets pass, with the records that it would make."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trainyard.datasets.prepared_index import read_index, write_index
from trainyard.datasets.record import (
    ClassInfo,
    Dataset,
    DatasetStatus,
    DatasetSummary,
    Kind,
    ObjectClass,
    ObjectSummary,
    Task,
)
from trainyard.storage.files import Storage
from workers.prepared.version import Objects, PreparedClass, PreparedDataset, PreparedWriter

Box = tuple[float, float, float, float]
SIDE = 40
MANY = 1000
"""Classes of the largest set."""


@dataclass(frozen=True, kw_only=True)
class OddSet:
    """A prepared set and its record."""

    folder: Path
    record: Dataset


class _Versions:
    """Where the sets lie, each under an id and a content of its own."""

    def __init__(self, storage: Storage) -> None:
        self._storage, self._made = storage, 0

    def __truediv__(self, name: str) -> Path:
        self._made += 1
        return self._storage.dataset(f"ds-{self._made:012x}").version(f"{self._made:064x}"[::-1])


def labelled_sets(storage: Storage) -> dict[str, OddSet]:
    """By what is odd of each, as versions in that storage."""
    folder = _Versions(storage)
    rare: list[tuple[int, ...]] = [(0,)] * 7 + [(1,)]
    return {
        "plain": _labelled(folder / "plain", [(place % 3,) for place in range(8)], 3, val=3),
        "one_image_each": _labelled(folder / "each", [(0,), (1,), (2,)], 3, val=1),
        "two_images": _labelled(folder / "two", [(0,), (1,)], 2, val=1),
        "no_validation": _labelled(folder / "train", [(place % 2,) for place in range(6)], 2, val=0),
        "absent_class": _labelled(folder / "absent", [(place % 2 * 2,) for place in range(8)], 4, val=3),
        "rare_class": _labelled(folder / "rare", rare, 2, val=3),
        "many_classes": _labelled(folder / "many", [(place,) for place in range(8)], MANY, val=3),
        "several": _several(folder / "several", [(0, 2), (), (1,), (0,), (2,), ()], 3),
        "none_validated": _several(folder / "unseen", [(0,), (1,), (0, 1), (), ()], 2),
        "none_trained": _several(folder / "untaught", [(), (), (), (0,), (1,)], 2),
        "few_drawn": _several(folder / "few", [(), (), (), (0,), (), (), (1,), ()], 2, val=0),
        "one_drawn": _several(folder / "one", [(), (), (), (0,)], 2, val=0),
        "copies": _labelled(folder / "copies", [(0,), (1,)], 2, val=0, copies=True),
    }


def boxed_sets(storage: Storage) -> dict[str, OddSet]:
    """The same of objects; all have outlines."""
    folder = _Versions(storage)
    middle: Box = (8, 8, 28, 24)
    dots: list[Box] = [(x, y, x + 1, y + 1) for x in range(0, SIDE, 8) for y in range(0, SIDE, 8)]
    return {
        "plain": _boxed(folder / "plain", [[(middle, place % 2, False)] for place in range(6)], val=2),
        "empty_images": _boxed(folder / "empty", [[(middle, 0, False)], [], [], [(middle, 1, False)]], val=2),
        "dots": _boxed(folder / "dots", [[(dot, 0, False) for dot in dots]] * 4, val=2, classes=1),
        "whole": _boxed(folder / "whole", [[((0, 0, SIDE, SIDE), 0, False)]] * 4, val=2, classes=1),
        "slivers": _boxed(folder / "slivers", [[((0, 0, SIDE, 1), 0, False)]] * 4, val=2, classes=1),
        "crowds": _boxed(
            folder / "crowds", [[(middle, 0, True), ((0, 0, 6, 6), 0, False)]] * 4, val=2, classes=1
        ),
        "many_classes": _boxed(folder / "many", [[(middle, 7, False)]] * 4, val=2, classes=300),
        "none_validated": _boxed(folder / "unseen", [[(middle, 0, False)], [], [(middle, 0, True)]], val=2),
        "few_drawn": _boxed(folder / "few", [[(middle, 0, False)], [(middle, 1, False)], *[[]] * 6], val=0),
        "one_drawn": _boxed(folder / "one", [[(middle, 0, False)], *[[]] * 6], val=0),
    }


def _several(folder: Path, labels: Sequence[tuple[int, ...]], classes: int, val: int = 2) -> OddSet:
    return _labelled(folder, labels, classes, val=val, task="multilabel")


def _labelled(
    folder: Path,
    labels: Sequence[tuple[int, ...]],
    classes: int,
    *,
    val: int,
    task: Task = "multiclass",
    copies: bool = False,
) -> OddSet:
    """`copies`: as ingest marks images that are all one."""
    with PreparedWriter(folder, kinds=("labels",)) as writer:
        for place, own in enumerate(labels):
            writer.append_labelled(f"drawn-{place}", _image(0 if copies else place), own)
        named = _classes(classes, 0)
        writer.finish(_splits(len(labels), val), named, (0.3,) * 3, (0.1,) * 3, folder.name, task)
    if copies:
        index = read_index(folder)
        write_index(folder, replace(index, samples=[replace(one, digest="1") for one in index.samples]))
    return OddSet(folder=folder, record=_record(folder, ("labels",), task))


def _boxed(
    folder: Path, images: Sequence[Sequence[tuple[Box, int, bool]]], *, val: int, classes: int = 2
) -> OddSet:
    with PreparedWriter(folder, kinds=("boxes", "outlines")) as writer:
        for place, found in enumerate(images):
            masks = np.zeros((len(found), SIDE, SIDE), np.uint8)
            for mask, ((left, top, right, bottom), _, _) in zip(masks, found, strict=True):
                mask[int(top) : int(bottom), int(left) : int(right)] = 1
            objects = Objects(
                np.array([box for box, _, _ in found], np.float32).reshape(-1, 4),
                np.array([index for _, index, _ in found], np.int64),
                np.array([crowd for _, _, crowd in found], np.bool_),
            )
            writer.append_objects(f"drawn-{place}", _image(place), objects, masks)
        named = _classes(classes, 1)
        writer.finish(_splits(len(images), val), named, (0.3,) * 3, (0.1,) * 3, folder.name)
    return OddSet(folder=folder, record=_record(folder, ("boxes", "outlines"), "multiclass"))


def _image(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def _splits(images: int, val: int) -> dict[str, str]:
    return {f"drawn-{place}": "train" if place < images - val else "val" for place in range(images)}


def _classes(count: int, first: int) -> list[PreparedClass]:
    return [
        PreparedClass(index=index, name=f"class {index}", value=index + first, color=(index % 256, 90, 200))
        for index in range(count)
    ]


def _record(folder: Path, kinds: tuple[Kind, ...], task: Task) -> Dataset:
    """What the API knows of a set."""
    prepared = PreparedDataset(folder)
    splits = [sample.split for sample in prepared.samples]
    summary = DatasetSummary(
        content_hash=folder.name.ljust(64, "0"),
        images=len(splits),
        splits={split: splits.count(split) for split in dict.fromkeys(splits)},
        classes=tuple(
            ClassInfo(**vars(info), pixels=1, share=0, images=_images(prepared, info.index))
            for info in prepared.classes
        ),
        ignore_share=0.0,
        sizes={},
        mean=prepared.mean,
        std=prepared.std,
        task=task,
        kinds=kinds,
        objects=_objects(prepared) if "boxes" in kinds else None,
    )
    return Dataset(
        id=folder.parent.parent.name,
        name="d",
        project="p",
        created_at=0,
        summary=summary,
        status=DatasetStatus.READY,
    )


def _images(prepared: PreparedDataset, index: int) -> int:
    return sum(index in sample.classes for sample in prepared.samples)


def _objects(prepared: PreparedDataset) -> ObjectSummary:
    found = [prepared.objects(sample) for sample in prepared.samples]
    plain = [int((~one.crowd).sum()) for one in found]
    return ObjectSummary(
        count=sum(plain),
        crowds=sum(int(one.crowd.sum()) for one in found),
        images=sum(map(bool, plain)),
        most=max(plain),
        sizes={"small": sum(plain), "medium": 0, "large": 0},
        classes=tuple(ObjectClass(**vars(info), objects=1, images=1) for info in prepared.object_classes),
    )

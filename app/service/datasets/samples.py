"""What is in a prepared version: its samples, by position, and where their pixels lie."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from app.service.datasets.box_drawing import ObjectInfo
from trainyard.datasets.prepared_index import PreparedClass, Sample, read_index
from trainyard.datasets.record import Kind, Task
from trainyard.datasets.stored_objects import stored_objects
from trainyard.errors import Conflict, InvalidRequest, NotFound
from trainyard.registry.datasets import DatasetRegistry
from trainyard.storage.errors import storage_error
from trainyard.storage.files import Storage

INDEXES_KEPT = 4
"""Indexes of versions that a process remembers; a version never changes."""


@dataclass(frozen=True, kw_only=True)
class SampleInfo:
    """One image of a version; `index` is its position, `classes` are those of its pixels or its labels."""

    index: int
    name: str
    split: str
    fold: int | None
    width: int
    height: int
    classes: tuple[PreparedClass, ...]
    image_offset: int
    mask_offset: int
    first_object: int
    object_count: int


@dataclass(frozen=True, kw_only=True)
class PreparedIndex:
    """The task, kinds of annotation, samples and classes of a version, and its folder."""

    folder: Path
    content_hash: str
    task: Task
    kinds: tuple[Kind, ...]
    mask_planes: int
    classes: tuple[PreparedClass, ...]
    object_classes: tuple[PreparedClass, ...]
    samples: tuple[SampleInfo, ...]

    def objects(self, sample: SampleInfo) -> list[ObjectInfo] | None:
        """The objects of a sample; None where the set has no boxes. Raises StorageUnavailable."""
        if "boxes" not in self.kinds:
            return None
        try:
            stored = list(stored_objects(self.folder, sample.first_object, sample.object_count))
        except OSError as error:
            raise storage_error("The objects of a sample could not be read", error) from error
        return [
            ObjectInfo(
                box=one.box,
                index=one.index,
                name=self.object_classes[one.index].name,
                color=self.object_classes[one.index].color,
                crowd=one.crowd,
            )
            for one in stored
        ]


class SampleService:
    """Looks into the version of a data set that is in use."""

    def __init__(self, datasets: DatasetRegistry, storage: Storage) -> None:
        self._datasets = datasets
        self._storage = storage

    def index(self, dataset_id: str) -> PreparedIndex:
        """All samples; raises NotFound, and Conflict for a set without a version."""
        dataset = self._datasets.get(dataset_id)
        if dataset.summary is None:
            raise Conflict(
                f"Data set {dataset_id} is {dataset.status} and has no samples yet.",
                errors={"status": dataset.status},
            )
        return _read(self._storage.dataset(dataset_id).version(dataset.summary.content_hash))

    def page(
        self, dataset_id: str, split: str | None, class_name: str | None, cursor: int, limit: int
    ) -> tuple[list[SampleInfo], int | None]:
        """Samples from the position `cursor` on, and the cursor of the next page, None on the last.

        A class is given by its name or its index; raises InvalidRequest for one that the set does not have.
        """
        index = self.index(dataset_id)
        wanted = None if class_name is None else _class(index, class_name)
        found = [
            sample
            for sample in index.samples[cursor:]
            if split in (None, sample.split) and (wanted is None or wanted in sample.classes)
        ]
        return found[:limit], found[limit].index if len(found) > limit else None

    def sample(self, dataset_id: str, position: int) -> tuple[PreparedIndex, SampleInfo]:
        """The sample at a position; raises NotFound."""
        index = self.index(dataset_id)
        if position >= len(index.samples):
            raise NotFound(f"Data set {dataset_id} has {len(index.samples)} samples, counted from 0.")
        return index, index.samples[position]


@lru_cache(maxsize=INDEXES_KEPT)
def _read(folder: Path) -> PreparedIndex:
    found = read_index(folder)
    classes = {one.index: one for one in found.classes}
    return PreparedIndex(
        folder=folder,
        content_hash=found.content_hash,
        task=found.task,
        kinds=found.kinds,
        mask_planes=found.mask_planes,
        classes=tuple(classes.values()),
        object_classes=tuple(found.object_classes),
        samples=tuple(_info(place, sample, classes) for place, sample in enumerate(found.samples)),
    )


def _info(place: int, sample: Sample, classes: dict[int, PreparedClass]) -> SampleInfo:
    return SampleInfo(
        index=place,
        name=sample.name,
        split=sample.split,
        fold=sample.fold,
        width=sample.width,
        height=sample.height,
        classes=tuple(classes[index] for index in sample.classes if index in classes),
        image_offset=sample.image_offset,
        mask_offset=sample.mask_offset,
        first_object=sample.first_object,
        object_count=sample.objects,
    )


def _class(index: PreparedIndex, text: str) -> PreparedClass:
    for one in index.classes:
        if text in (one.name, str(one.index)):
            return one
    names = ", ".join(one.name for one in index.classes)
    raise InvalidRequest(f"The set has no class {text!r}.", errors={"class": [f"one of: {names}"]})

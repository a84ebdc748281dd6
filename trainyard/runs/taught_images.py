"""Whether the images that would train a run, and those that validate it, have anything to learn from."""

from collections.abc import Callable, Iterable
from pathlib import Path

from trainyard.datasets.prepared_index import Sample, read_index
from trainyard.datasets.record import Dataset, DatasetSummary, Kind
from trainyard.datasets.stored_objects import stored_objects
from trainyard.errors import BadDataset
from trainyard.spec.training_spec import DataSpec
from trainyard.storage.files import Storage

_WANTED: dict[Kind, tuple[str, ...]] = {"labels": ("train",), "boxes": ("train", "val")}
"""The splits of which one image at least must have a label, or an object that is told apart."""
_LACK: dict[Kind, str] = {"labels": "a label", "boxes": "an object that is told apart from others"}
_PARTS = {"train": "training", "val": "validation"}
_FEW = 100
"""Images of a set of which copies are counted; ingest tells of the copies of any."""


def check_taught_images(data: DataSpec, kind: Kind, dataset: Dataset, storage: Storage) -> None:
    """Raise BadDataset where images would train, or validate, that have nothing to learn of that kind, or
    where all that could be shared out are copies of one.

    The files of the set are asked only where its record leaves that open. Raises StorageUnavailable.
    """
    summary = dataset.summary
    if summary is None or not _may_lack(summary, data, kind):
        return
    folder = storage.dataset(dataset.id).version(summary.content_hash)
    samples = [one for one in read_index(folder).samples if one.split in _PARTS]
    if data.split_index is None and _is_drawn(summary, data):
        _check_drawn(samples, _teaching(kind, folder), kind, data)
        return
    teaches = _teaching(kind, folder)
    for part in _WANTED.get(kind, ()):
        if not any(map(teaches, _of_part(samples, part, data))):
            raise untaught(part, kind, data)


def untaught(part: str, kind: Kind, data: DataSpec) -> BadDataset:
    """The error where no image of the split `train` or `val` has what is learnt."""
    said = f"No {_PARTS[part]} image of the set has {_LACK[kind]}."
    if data.split_index is not None:
        remedy = "Take another fold, or annotate images of these."
    elif data.val_fraction is not None:
        remedy = "Annotate more images: two at least are needed, one for each split."
    else:
        remedy = "Annotate images of that split, or have another split drawn with data.val_fraction."
    return BadDataset(said, remedy=remedy, errors={"dataset_id": [said]})


def _may_lack(summary: DatasetSummary, data: DataSpec, kind: Kind) -> bool:
    """Whether the record leaves open that a split has too little; of labels that exclude each other every
    image has one."""
    train, val = (summary.splits.get(part, 0) for part in _PARTS)
    is_drawn = data.split_index is None and _is_drawn(summary, data)
    if is_drawn and train + val <= _FEW:
        return True
    if kind not in _WANTED or (kind == "labels" and summary.task == "multiclass"):
        return False
    smallest = 1 if is_drawn or data.split_index is not None else min(train, val)
    return summary.images - _taught_at_least(summary, kind) >= smallest


def _taught_at_least(summary: DatasetSummary, kind: Kind) -> int:
    """Images with something to learn, as far as the record tells."""
    if kind == "boxes":
        return summary.objects.images if summary.objects else 0
    return max((info.images for info in summary.classes), default=0)


def _is_drawn(summary: DatasetSummary, data: DataSpec) -> bool:
    return data.val_fraction is not None or not all(summary.splits.get(part) for part in _PARTS)


def _check_drawn(
    samples: Iterable[Sample], teaches: Callable[[Sample], bool], kind: Kind, data: DataSpec
) -> None:
    """Whatever is drawn, each side has an image, and one that teaches where there are two: copies of one
    image are drawn together."""
    copies: dict[str, bool] = {}
    for sample in samples:
        key = sample.digest or sample.name
        copies[key] = copies.get(key, False) or teaches(sample)
    if len(copies) < len(_PARTS):
        said = "one image outside its test split, and copies of it; training needs two that differ"
        raise BadDataset(f"The data set has {said}.", errors={"dataset_id": [said]})
    for part, needed in zip(_WANTED.get(kind, ()), (1, 2), strict=False):
        if sum(copies.values()) < needed:
            raise untaught(part, kind, data)


def _of_part(samples: Iterable[Sample], part: str, data: DataSpec) -> Iterable[Sample]:
    if data.split_index is None:
        return (one for one in samples if one.split == part)
    validates = part == "val"
    return (one for one in samples if one.fold is not None and (one.fold == data.split_index) == validates)


def _teaching(kind: Kind, folder: Path) -> Callable[[Sample], bool]:
    """Whether a sample of the version has something to learn of that kind; of masks each has."""

    def has_object(sample: Sample) -> bool:
        return any(not one.crowd for one in stored_objects(folder, sample.first_object, sample.objects))

    def has_label(sample: Sample) -> bool:
        return bool(sample.classes)

    return {"boxes": has_object, "labels": has_label}.get(kind, lambda _: True)

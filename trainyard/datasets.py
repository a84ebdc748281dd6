"""The data set record and what ingest finds out about a set."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Task = Literal["multiclass", "multilabel"]
"""Whether each pixel has one class, or may have several or none."""


class DatasetStatus(StrEnum):
    """queued -> ingesting -> ready | failed."""

    QUEUED = "queued"
    INGESTING = "ingesting"
    READY = "ready"
    FAILED = "failed"


PICTURES = "pictures"
"""The format of images with masks that are pictures."""


@dataclass(frozen=True, kw_only=True)
class IngestOptions:
    """What the client said about the upload.

    `format` names a reader, None finds it out. `classes` maps mask values to names; None finds the values
    out. `colors` maps colours, `#rrggbb`, to mask values. `ignore_value` is the mask value that counts as no
    class. `images` and `masks` are patterns of the paths of pictures, `class_masks` patterns of masks that
    show one class each, by its name; without them roles are found out. `label_map` replaces mask values, None
    makes them ignored. `order` says which of overlapping regions is seen (`area`: the smaller, `file`: the
    later), `crowd` what becomes of COCO's crowd regions. `max_side` caps the longer side of prepared images,
    in pixels. `names_encoding` is that of file names which the archive does not mark, None finds it out.

    The split: `splits` lists image names per split; else folders of the upload; else `val_fraction` is drawn
    by `seed`. `folds` shares out what trains and validates over so many folds besides, of which a run may
    choose one to validate with. `max_images_per_class` leaves images out of each split where all their
    classes have so many.
    """

    format: str | None = None
    classes: dict[int, str] | None = None
    colors: dict[str, int] | None = None
    ignore_value: int | None = None
    images: str | None = None
    masks: str | None = None
    class_masks: dict[str, str] | None = None
    label_map: dict[int, int | None] | None = None
    order: Literal["area", "file"] = "area"
    crowd: Literal["ignore", "label"] = "ignore"
    max_side: int | None = None
    splits: dict[str, list[str]] | None = None
    folds: int | None = None
    val_fraction: float = 0.2
    seed: int = 0
    max_images_per_class: int | None = None
    names_encoding: str | None = None

    @property
    def reader(self) -> str | None:
        """The format that is named, or that the other options are for."""
        of_pictures = (self.images, self.masks, self.class_masks) != (None, None, None)
        return self.format or (PICTURES if of_pictures else None)


@dataclass(frozen=True, kw_only=True)
class ClassInfo:
    """One class: its index in prepared masks, its value in the masks as sent, and how much of it there is.

    In a multilabel set `index` is its bit. `share` is the part of all labelled pixels, 0 to 1; the shares of
    a multilabel set may add up to more than 1. `images` counts images in which it occurs.
    """

    index: int
    name: str
    value: int
    color: tuple[int, int, int]
    pixels: int
    share: float
    images: int


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with the set; an `error` keeps it from training, a `warning` does not."""

    severity: Literal["error", "warning"]
    code: str
    file: str | None
    message: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class DatasetSummary:
    """What ingest found. `sizes` counts images per "WIDTHxHEIGHT"; `mean` and `std` are of RGB in 0 to 1.

    `task` says whether pixels have one class each; in a multilabel set none is ignored.
    """

    content_hash: str
    images: int
    splits: dict[str, int]
    classes: tuple[ClassInfo, ...]
    ignore_share: float
    sizes: dict[str, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    task: Task = "multiclass"


@dataclass(frozen=True, kw_only=True)
class DatasetVersion:
    """What one ingest made of the upload. It never changes: runs train from the folder of its content.

    `version` counts from 1; `created_at` is in seconds since 1970, UTC.
    """

    version: int
    content_hash: str
    created_at: float
    images: int
    splits: dict[str, int]
    label_map: dict[int, int | None] | None = None


@dataclass(frozen=True, kw_only=True)
class RefusedChange:
    """A change of options whose ingest failed while an earlier version stays in use, and why it failed."""

    options: IngestOptions
    error: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    proposed_label_map: dict[int, int | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The record of a data set; times are seconds since 1970, UTC.

    `incoming` is the path below the storage's incoming/ that is read in place of an upload, `annotation_name`
    the client's name of the annotation file. `version` is the number of the version in use, None before the
    first; `options`, `summary` and `problems` are of that version. `change` holds options that wait for their
    ingest while it stays in use, `refused_change` those that the latest ingest refused. `label_map` and
    `proposed_label_map` are keyed by mask values.
    """

    id: str
    name: str
    project: str
    status: DatasetStatus = field(default=DatasetStatus.QUEUED, metadata={"by_value": True})
    revision: int = 0
    queue: str = "ingest"
    priority: int = 0
    fence: int = 0
    crashes: int = 0
    owner: str | None = None
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    options: IngestOptions = field(default_factory=IngestOptions)
    upload_bytes: int = 0
    annotation_name: str | None = None
    incoming: str | None = None
    images_done: int = 0
    images_total: int | None = None
    version: int | None = None
    versions: tuple[DatasetVersion, ...] = ()
    summary: DatasetSummary | None = None
    problems: tuple[Problem, ...] = ()
    proposed_label_map: dict[int, int | None] | None = None
    change: IngestOptions | None = None
    refused_change: RefusedChange | None = None
    error: dict[str, Any] | None = None

"""The data set record and what ingest finds out about a set."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal


class DatasetStatus(StrEnum):
    """queued -> ingesting -> ready | failed."""

    QUEUED = "queued"
    INGESTING = "ingesting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class IngestOptions:
    """What the client said about the upload.

    `classes` maps mask values to names; None finds the values out. `ignore_value` is the mask value that
    counts as no class. `val_fraction` and `seed` make the split where the archive has no train/val folders.
    """

    classes: dict[int, str] | None = None
    ignore_value: int | None = None
    val_fraction: float = 0.2
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class ClassInfo:
    """One class: its index in prepared masks, its value in the masks as sent, and how much of it there is.

    `share` is the part of all labelled pixels, 0 to 1; `images` counts images in which it occurs.
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
    """What ingest found. `sizes` counts images per "WIDTHxHEIGHT"; `mean` and `std` are of RGB in 0 to 1."""

    content_hash: str
    images: int
    splits: dict[str, int]
    classes: tuple[ClassInfo, ...]
    ignore_share: float
    sizes: dict[str, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The record of a data set; times are seconds since 1970, UTC."""

    id: str
    name: str
    project: str
    status: DatasetStatus = field(default=DatasetStatus.QUEUED, metadata={"by_value": True})
    revision: int = 1
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
    images_done: int = 0
    images_total: int | None = None
    summary: DatasetSummary | None = None
    problems: tuple[Problem, ...] = ()
    error: dict[str, Any] | None = None

"""The record of a trained model: a run's exported network under a name and a version."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

FP32 = "fp32"


class ModelStage(StrEnum):
    """Where a version stands: any may follow any, and of a name at most one version is in production."""

    CANDIDATE = "candidate"
    STAGING = "staging"
    PRODUCTION = "production"
    ARCHIVED = "archived"


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A file of a model; `precision` is None of the card."""

    name: str
    bytes: int
    sha256: str
    precision: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelClass:
    """A class that the model tells: its index, name and colour."""

    index: int
    name: str
    color: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """The record of a trained model; times are seconds since 1970, UTC.

    `name` is one within its project, and `version` counts those under it from 1. `status` is its stage, under
    the name that it has in records of every kind. `run_id`, `dataset_id` and `content_hash` are what it was
    made of and stay when those are deleted; `dataset_version` is None where the set was gone before.
    `epoch` is the epoch whose weights it has. `metrics` are those of the export's card, by split. `files` are
    its own: it needs its run no more.
    """

    id: str
    project: str
    name: str
    version: int = 0
    status: ModelStage = field(default=ModelStage.CANDIDATE, metadata={"by_value": True})
    revision: int = 0
    created_at: float
    created_by: str
    notes: str = ""
    run_id: str
    run_name: str
    dataset_id: str
    dataset_name: str | None = None
    dataset_version: int | None = None
    content_hash: str
    task: str
    architecture: str
    encoder: str
    epoch: int
    image_size: int
    classes: tuple[ModelClass, ...]
    metrics: dict[str, Any] = field(default_factory=dict)
    files: tuple[ModelFile, ...]

    def file(self, precision: str) -> ModelFile | None:
        """The network in that precision; None where it was not exported."""
        return next((one for one in self.files if one.precision == precision), None)

"""The record of an experiment that is saved in a project: settings under a name, of which runs are made."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ExperimentStatus(StrEnum):
    """It has one status."""

    SAVED = "saved"


@dataclass(frozen=True, kw_only=True)
class SavedExperiment:
    """A saved experiment; times are seconds since 1970, UTC.

    `name` is unique in its `project` and none of a ready experiment. `settings` are the part of a spec that
    it says, laid over the defaults when a run is made of it. `run_id` is the run whose settings they were.
    """

    id: str
    project: str
    name: str
    notes: str = ""
    status: ExperimentStatus = field(default=ExperimentStatus.SAVED, metadata={"by_value": True})
    revision: int = 0
    created_at: float
    created_by: str
    changed_at: float
    run_id: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)

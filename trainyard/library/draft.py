"""The record of a draft: a run that was saved and not submitted."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class DraftStatus(StrEnum):
    """A draft has one status; submitted, it is gone and a run is there."""

    DRAFT = "draft"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A draft; times are seconds since 1970, UTC.

    `request` is what a submission would ask for, as far as it is known, in the form of a request: data set,
    experiment, spec, name, project and the others. `project` is where the draft belongs, and its run unless
    the request says another.
    """

    id: str
    project: str
    status: DraftStatus = field(default=DraftStatus.DRAFT, metadata={"by_value": True})
    revision: int = 0
    created_at: float
    created_by: str
    changed_at: float
    request: dict[str, Any] = field(default_factory=dict)

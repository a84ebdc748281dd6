"""A board: TensorBoard over some runs, started on request and ended when nobody looks at it any more."""

from dataclasses import dataclass, field
from enum import StrEnum

MOST_BOARDS = 4
"""Boards at a time; each has 100 MB of memory."""


class BoardStatus(StrEnum):
    """starting -> ready | failed."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Board:
    """The record of a board; `created_at` is in seconds since 1970, UTC.

    `address` is the host and port at which it answers the API once it is ready, `problem` says why it failed.
    """

    id: str
    run_ids: tuple[str, ...]
    created_at: float
    created_by: str
    status: BoardStatus = field(default=BoardStatus.STARTING, metadata={"by_value": True})
    address: str | None = None
    problem: str | None = None

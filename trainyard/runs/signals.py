"""What may be asked of a run while it trains: a flag beside the record, never a status."""

from dataclasses import dataclass
from typing import Literal

StopWhen = Literal["now", "epoch"]


@dataclass(frozen=True, kw_only=True)
class Signals:
    """The newest wishes for a run. Each carries a version, so that its effect can be acknowledged.

    `epochs` is the total number of epochs to reach, counted from the run's beginning. A cancel needs no
    version: it ends the run and cannot be taken back. `drain` is the wish of the worker and not of a client:
    save and leave, the run goes on elsewhere.
    """

    stop: StopWhen | None = None
    stop_version: int = 0
    epochs: int | None = None
    epochs_version: int = 0
    cancel: bool = False
    drain: bool = False

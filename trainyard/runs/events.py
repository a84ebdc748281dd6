"""What a run or an ingest tells the world. Epochs and steps are counted from 1; `step` is the optimizer step.

Training hands these to a callable and knows nothing of where they go; on the wire an event is JSON
with its name under `event`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from trainyard.decoding import decoder
from trainyard.errors import Unreadable

Stage = Literal["starting", "sanity", "train", "val", "report", "export"]
"""The last two are those of a run that is finishing."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a run is; sent at most a few times a second, the latest replaces those before.

    `eta_seconds` is the likely time to the end of the last epoch, between `eta_low_seconds` and
    `eta_high_seconds` unless the speed changes; all are None until a batch has been timed.
    """

    name: ClassVar[str] = "progress"
    stage: Stage
    epoch: int
    epochs: int
    step: int
    steps_per_epoch: int
    loss: float | None
    images_per_second: float | None
    eta_seconds: float | None
    eta_low_seconds: float | None = None
    eta_high_seconds: float | None = None


def without_speed(stage: Stage, *, epoch: int, epochs: int, step: int) -> Progress:
    """Progress outside the epochs, where there is no speed to tell."""
    return Progress(
        stage=stage,
        epoch=epoch,
        epochs=epochs,
        step=step,
        steps_per_epoch=0,
        loss=None,
        images_per_second=None,
        eta_seconds=None,
    )


@dataclass(frozen=True, kw_only=True)
class AttemptStarted:
    """An attempt begins to train: on what, and how many epochs and steps it goes on from."""

    name: ClassVar[str] = "began"
    device: str
    epoch: int
    step: int


@dataclass(frozen=True, kw_only=True)
class EpochEnd:
    """One finished epoch with its metrics (`metrics.json` has a row for each)."""

    name: ClassVar[str] = "epoch"
    epoch: int
    step: int
    metrics: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved:
    """A checkpoint now on disk: `kinds` is among last, best, epoch; `file` is within checkpoints/.

    It was written as `stored`, within the folder of its attempt, and is known by the hash of its bytes, in
    hexadecimal; `after` is the hash of the checkpoint that training went on from, None for the first. Saving
    took so many `seconds`, from the copy of the weights to the file on disk.
    """

    name: ClassVar[str] = "checkpoint"
    kinds: tuple[str, ...]
    epoch: int
    step: int
    file: str
    stored: str
    bytes: int
    sha256: str
    after: str | None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class SignalApplied:
    """A stop or an epoch change took effect here."""

    name: ClassVar[str] = "signal"
    signal: Literal["stop", "epochs"]
    version: int
    value: str
    epoch: int
    step: int


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something the user should know that is no failure: a size rounded up, a class never seen."""

    name: ClassVar[str] = "notice"
    message: str


@dataclass(frozen=True, kw_only=True)
class BatchSizeChanged:
    """Other batches are trained than the spec asked for: their size was found, or was too large.

    `accumulate_batches` is how many of them make a step.
    """

    name: ClassVar[str] = "batch"
    batch_size: int
    accumulate_batches: int


@dataclass(frozen=True, kw_only=True)
class WeightsLoaded:
    """A fork has begun with another run's weights: layers filled, and those that were not, and why."""

    name: ClassVar[str] = "weights"
    loaded_layers: int
    total_layers: int
    skipped: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StatusChanged:
    """The record entered a status."""

    name: ClassVar[str] = "status"
    status: str
    revision: int
    error: dict[str, Any] | None = None


Event: TypeAlias = (
    Progress
    | AttemptStarted
    | EpochEnd
    | CheckpointSaved
    | SignalApplied
    | Notice
    | BatchSizeChanged
    | WeightsLoaded
    | StatusChanged
)
_BY_NAME: dict[str, type[Any]] = {
    kind.name: kind
    for kind in (
        Progress,
        AttemptStarted,
        EpochEnd,
        CheckpointSaved,
        SignalApplied,
        Notice,
        BatchSizeChanged,
        WeightsLoaded,
        StatusChanged,
    )
}


_CHECKED: dict[str, Callable[[Any], Event]] = {name: decoder(kind) for name, kind in _BY_NAME.items()}
NAMES = tuple(_BY_NAME)
"""Of all kinds of events."""


def to_dict(event: Event) -> dict[str, Any]:
    """The event as JSON data, its name under `event`."""
    return {"event": event.name, **asdict(event)}


def claimed(data: dict[str, Any]) -> Event | None:
    """As `from_dict`, of what nobody has vouched for: None for anything but an event of that form."""
    decode = _CHECKED.get(str(data.get("event")))
    try:
        return None if decode is None else decode(data)
    except Unreadable:
        return None


def from_dict(data: dict[str, Any]) -> Event:
    """The reverse of `to_dict`; raises KeyError or TypeError on anything else."""
    fields = {key: value for key, value in data.items() if key != "event"}
    event: Event = _BY_NAME[data["event"]](**fields)
    return event

"""What training gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """How training ended.

    `epochs` are those finished in all, of the `target`. `best_value` is that of the metric `monitor` in
    `best_epoch`. `seconds` are those of this call. `history` has a row for each finished epoch, as
    metrics.json. `status` is completed or stopped; `stopped_early` says that the metric had ceased to get
    better. `export` describes the ONNX file, None where there is none.
    """

    status: str
    folder: Path
    epochs: int
    target: int
    monitor: str
    best_value: float | None
    best_epoch: int | None
    seconds: float
    images_per_second: float | None
    history: Sequence[Mapping[str, Any]]
    export: Mapping[str, Any] | None

    @property
    def stopped_early(self) -> bool:
        """Whether early stopping ended it before its target."""
        return self.status == "completed" and self.epochs < self.target

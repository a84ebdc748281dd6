"""What training is asked to do and what it answers; both cross a pipe, so both are plain data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trainyard.spec import TrainingSpec


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """One attempt at a run.

    `epochs` is the present target, which may differ from `spec.epochs`. `folder` is the run's folder,
    `prepared` that of the prepared data set. `weights_file` is set when `spec.model.encoder_weights` is
    `file:<...>`. `resume` continues from `checkpoints/last.ckpt` where there is one: finished epochs are
    kept, an interrupted one is begun again with the weights it had reached. `init_checkpoint` is a file of
    another run whose weights a new run begins with, as far as they fit; a resumed one needs it no more.
    `content_hash` is the recorded one of the prepared set, None where any will do.
    """

    run_id: str
    spec: TrainingSpec
    epochs: int
    folder: Path
    prepared: Path
    weights_file: Path | None
    threads: int
    resume: bool
    init_checkpoint: Path | None = None
    content_hash: str | None = None

    @property
    def threads_per_rank(self) -> int:
        """The job's threads shared out among its processes."""
        return max(1, self.threads // self.spec.compute.devices)


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """How an attempt ended.

    `epoch` counts finished epochs, `step` optimizer steps, both since the run's beginning. `best` is the
    metrics row of `best_epoch`. `images_per_second` is of this attempt's training batches. `export`
    describes the ONNX file, None where none was asked for or the run was stopped.
    """

    status: Literal["completed", "stopped"]
    epoch: int
    step: int
    best_epoch: int | None
    best: dict[str, Any]
    images_per_second: float | None
    export: dict[str, Any] | None

"""What training is asked to do and what it answers; both cross a pipe, so both are plain data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trainyard.spec.training_spec import ExportSpec, TrainingSpec


@dataclass(frozen=True, kw_only=True)
class SavedFile:
    """A checkpoint's file: the epochs finished in it and the SHA-256 of its content, in hexadecimal."""

    path: Path
    epoch: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """One attempt at a run.

    `epochs` is the present target, which may differ from `spec.epochs`. `folder` is where it writes,
    `prepared` that of the prepared data set. `weights_file` is set when `spec.model.encoder_weights` is
    `file:<...>`, `encoder_folder` when `spec.model.encoder` is `folder:<...>`. `resume_from` are the
    checkpoints of earlier attempts, the newest first: the first that is whole is gone on from, at its very
    batch, and `best` is the best of them. `init_checkpoint` is a file of another run whose weights a new run
    begins with, as far as they fit; a resumed one needs it no more. `content_hash` is the recorded one of the
    prepared set, None where any will do. `device_class` is that of the queue: `cpu` never touches a GPU, any
    other needs one; None, of a program without a service, takes a GPU where there is one.
    """

    run_id: str
    spec: TrainingSpec
    epochs: int
    folder: Path
    prepared: Path
    weights_file: Path | None
    threads: int
    encoder_folder: Path | None = None
    resume_from: tuple[SavedFile, ...] = ()
    best: SavedFile | None = None
    init_checkpoint: Path | None = None
    content_hash: str | None = None
    device_class: str | None = None

    @property
    def threads_per_rank(self) -> int:
        """The job's threads shared out among its processes."""
        return max(1, self.threads // self.spec.compute.device_count)


@dataclass(frozen=True, kw_only=True)
class FinishingJob:
    """One attempt at what a trained run owes.

    `folder`, `prepared`, `content_hash`, `threads` and `device_class` are as in a `TrainingJob`. Of
    `checkpoints`, that of the best epoch and then from the newest on, the first that is whole is used.
    `epoch` and `step` are those trained, `epochs` was the target. `export` is what is wanted of files, which
    may have changed since the checkpoint was written.
    """

    folder: Path
    prepared: Path
    checkpoints: tuple[SavedFile, ...]
    export: ExportSpec
    threads: int
    epoch: int
    step: int
    epochs: int
    content_hash: str | None = None
    device_class: str | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """How an attempt ended.

    `target` is the epochs it was to reach by the last word it had. `epoch` counts finished epochs, `step`
    optimizer steps, both since the run's beginning. `best` is the metrics row of `best_epoch`.
    `images_per_second` is of this attempt's training batches. `export` describes the ONNX file, None where
    none was asked for, none has been written yet, or the run was stopped. A drained run has left because its
    worker asked it to, and can go on elsewhere.
    """

    status: Literal["completed", "stopped", "drained"]
    target: int
    epoch: int
    step: int
    best_epoch: int | None
    best: dict[str, Any]
    images_per_second: float | None
    export: dict[str, Any] | None

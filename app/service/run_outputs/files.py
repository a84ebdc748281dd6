"""The files of a run as clients may see them."""

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainyard.errors import BrokenFile, NewerFormat, NotFound
from trainyard.registry.runs import RunRegistry
from trainyard.runs.record import Run
from trainyard.storage.epoch_overlays import overlay_files
from trainyard.storage.files import RunFolder, Storage
from trainyard.storage.json_files import read_json
from trainyard.storage.metric_rows import read_rows, rows_folder

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A checkpoint file and what is written beside it; `name` is best, last or the epoch's number.

    `monitored` is the value of the metric `monitor`, by which the run's epochs are judged.
    """

    name: str
    file: str
    bytes: int
    kind: str | None
    epoch: int | None
    step: int | None
    val_miou: float | None
    monitor: str | None
    monitored: float | None


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file of the run; `path` is relative to its folder, `modified` in seconds since 1970, UTC."""

    path: str
    bytes: int
    modified: float


@dataclass(frozen=True, kw_only=True)
class EpochOverlay:
    """A picture of validation images that was made after an epoch; `modified` is as an Artifact's."""

    epoch: int
    bytes: int
    modified: float


class RunFiles:
    """Reads run folders. Every method raises NotFound for a run that does not exist."""

    def __init__(self, runs: RunRegistry, storage: Storage) -> None:
        self._runs = runs
        self._storage = storage

    def metrics(self, run_id: str) -> list[dict[str, Any]]:
        """One row for each finished epoch."""
        run = self._runs.get(run_id)
        return read_rows(self._storage.run(run.id), run.metrics_of)

    def metrics_csv(self, run_id: str) -> Path | None:
        """The CSV log, or None before there is one."""
        run = self._runs.get(run_id)
        path = rows_folder(self._storage.run(run.id), run.metrics_of).metrics_csv
        return path if path.is_file() else None

    def exports(self, run_id: str) -> list[Path]:
        """The exported models, by name."""
        return sorted(self._folder(run_id).export.glob("*.onnx"))

    def checkpoints(self, run_id: str) -> list[Checkpoint]:
        """The checkpoints that are there: best, last, then the epochs' in order."""
        folder = self._folder(run_id).checkpoints
        found = [_checkpoint(path, state) for path, state in _files(folder) if path.suffix == ".ckpt"]
        return sorted(found, key=lambda one: (one.name.isdigit(), one.name.zfill(9)))

    def checkpoint(self, run_id: str, name: str) -> Path:
        """The file of `best`, `last` or an epoch; raises NotFound."""
        path = _checkpoint_path(self._folder(run_id), name)
        if path is None or not path.is_file():
            raise NotFound(
                f"Run {run_id} has no checkpoint {name[:20]!r}.",
                errors={"checkpoint": [one.name for one in self.checkpoints(run_id)]},
            )
        return path

    def newest_checkpoint(self, run_id: str) -> Path:
        """last.ckpt, or the newest there is; where there is none, the place of last.ckpt."""
        folder = self._folder(run_id)
        found = [(state.st_mtime, path) for path, state in _files(folder.checkpoints)]
        newest = max([one for one in found if one[1].suffix == ".ckpt"], default=None)
        return folder.last_checkpoint if newest is None or folder.last_checkpoint.is_file() else newest[1]

    def artifacts(self, run_id: str) -> list[Artifact]:
        """Every file of the run but hidden and temporary ones, by path."""
        root = self._folder(run_id).path
        found = [
            Artifact(path=path.relative_to(root).as_posix(), bytes=state.st_size, modified=state.st_mtime)
            for path, state in _files(root)
        ]
        return sorted(found, key=lambda artifact: artifact.path)

    def artifact(self, run_id: str, relative: str) -> Path:
        """One of those files; raises NotFound for anything else, inside the folder or outside."""
        root = self._folder(run_id).path.resolve()
        path = _inside(root, relative)
        if path is None:
            raise NotFound(f"Run {run_id} has no file {relative[:200]!r}.")
        return path

    def overlays(self, run: Run) -> list[EpochOverlay]:
        """Those of the newest epochs that have one, oldest first."""
        found = []
        for epoch, path in overlay_files(self._storage.run(run.id), run.metrics_of):
            with suppress(FileNotFoundError):  # that of an old epoch is deleted meanwhile
                state = path.stat()
                found.append(EpochOverlay(epoch=epoch, bytes=state.st_size, modified=state.st_mtime))
        return found

    def overlay(self, run: Run, epoch: int) -> Path:
        """The picture of that epoch; raises NotFound."""
        found = dict(overlay_files(self._storage.run(run.id), run.metrics_of))
        if epoch not in found:
            raise NotFound(
                f"Run {run.id} has no picture of epoch {epoch}.",
                errors={"epoch": [str(one) for one in found]},
            )
        return found[epoch]

    def modified(self, run: Run, relative: str) -> float | None:
        """When a file of a run was last written, in seconds since 1970; None where it has no such file."""
        path = _inside(self._storage.run(run.id).path.resolve(), relative)
        return None if path is None else path.stat().st_mtime

    def _folder(self, run_id: str) -> RunFolder:
        return self._storage.run(self._runs.get(run_id).id)


def _checkpoint(path: Path, state: os.stat_result) -> Checkpoint:
    beside = path.with_name(f"{path.name}.json")
    info = _told_beside(beside)
    _, is_epoch, number = path.stem.partition("epoch=")
    return Checkpoint(
        name=str(int(number)) if is_epoch and number.isdigit() else path.stem,
        file=path.name,
        bytes=state.st_size,
        kind=info.get("kind"),
        epoch=info.get("epoch"),
        step=info.get("step"),
        val_miou=info.get("val_miou"),
        monitor=info.get("monitor"),
        monitored=info.get("monitored"),
    )


def _told_beside(file: Path) -> dict[str, Any]:
    """What stands beside a checkpoint; nothing where it cannot be read, which fails no list."""
    try:
        return read_json(file) if file.is_file() else {}
    except (BrokenFile, NewerFormat) as error:
        logger.warning("%s: %s", file, error.message)
        return {}


def _checkpoint_path(folder: RunFolder, name: str) -> Path | None:
    if name in ("best", "last"):
        return folder.checkpoints / f"{name}.ckpt"
    if name.isascii() and name.isdigit() and len(name) <= 9:
        return folder.epoch_checkpoint(int(name))
    return None


def _files(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The files below `root` with their state, but hidden, temporary and linked ones."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if _is_shown(name)]
        for name in filter(_is_shown, names):
            path = Path(folder) / name
            with suppress(FileNotFoundError):  # replaced or removed since it was listed
                state = path.lstat()
                if stat.S_ISREG(state.st_mode):
                    yield path, state


def _is_shown(name: str) -> bool:
    return not name.startswith(".") and not name.endswith(".tmp")


def _inside(root: Path, relative: str) -> Path | None:
    """The file under `root`, reached over shown names only and over no link; else None."""
    names = relative.split("/")
    path = root.joinpath(*names)
    try:
        is_own_file = path.resolve() == path and path.is_relative_to(root) and path.is_file()
    except (OSError, ValueError):  # a name too long, or one with a NUL
        return None
    return path if is_own_file and all(name and _is_shown(name) for name in names) else None

"""Which files are a run's checkpoints, and the names under which everybody finds them.

An attempt writes every checkpoint under a name that is used once, in its own folder, where nobody looks.
Only a commit makes it the run's `last`, `best` or `epoch=NNN`; the public names in checkpoints/ follow the
commit. `previous` is the checkpoint before the last, kept in case that one cannot be read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainyard.runs.events import CheckpointSaved
from trainyard.storage.aliases import place_file
from trainyard.storage.errors import storage_error
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json, write_json

LAST = "last"
PREVIOUS = "previous"
BEST = "best"
EPOCH = "epoch="


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A committed file: `file` is its path in the run's folder; `epoch` and `step` are those finished."""

    file: str
    epoch: int
    step: int
    bytes: int
    sha256: str


Checkpoints = Mapping[str, Checkpoint]
"""The files by name: last, previous, best, epoch=NNN."""


def with_saved(held: Checkpoints, saved: CheckpointSaved, file: str, keep_last: int) -> dict[str, Checkpoint]:
    """The names after a save whose file lies at `file` in the run's folder.

    Of the epochs' own checkpoints the newest `keep_last` keep their names, all where it is 0.
    """
    new = Checkpoint(file=file, epoch=saved.epoch, step=saved.step, bytes=saved.bytes, sha256=saved.sha256)
    names = {name: one for name, one in held.items() if name != PREVIOUS}
    for one in held.values():
        if one.sha256 == saved.after:
            names[PREVIOUS] = one
    names |= {public_name(kind, saved.epoch): new for kind in saved.kinds}
    epochs = sorted(name for name in names if name.startswith(EPOCH))
    for old in epochs[:-keep_last] if keep_last else []:
        del names[old]
    return names


def public_name(kind: str, epoch: int) -> str:
    """The name of a checkpoint of that kind: last, best or epoch."""
    return f"{EPOCH}{epoch:03d}" if kind == "epoch" else kind


def newest_first(held: Checkpoints) -> list[Checkpoint]:
    """Each file once: the last, the previous, then the others from the newest on."""
    first = [held[name] for name in (LAST, PREVIOUS) if name in held]
    others = sorted(held.values(), key=lambda one: (one.epoch, one.step), reverse=True)
    return list({one.file: one for one in [*first, *others]}.values())


def place(folder: RunFolder, held: Checkpoints) -> None:
    """Let the public names in checkpoints/ be those of the committed files; raises StorageUnavailable.

    A file that is there no more has been superseded by a commit that this one does not know of.
    """
    try:
        for name, one in held.items():
            source, target = folder.path / one.file, folder.checkpoints / f"{name}.ckpt"
            if name != PREVIOUS and source.exists() and place_file(source, target):
                about = read_json(_beside(source))
                write_json(_beside(target), {**about, "kind": name.partition("=")[0]})
        for epoch in folder.checkpoints.glob(f"{EPOCH}*.ckpt"):
            if epoch.stem not in held:
                _remove(epoch)
    except OSError as error:
        raise storage_error("A checkpoint could not be put in place", error) from error


def discard(folder: RunFolder, earlier: Checkpoints, held: Checkpoints) -> None:
    """Delete the files that had a name and have none any more; raises StorageUnavailable."""
    kept = {one.file for one in held.values()}
    try:
        for file in {one.file for one in earlier.values()} - kept:
            _remove(folder.path / file)
    except OSError as error:
        raise storage_error("An old checkpoint could not be deleted", error) from error


def _beside(checkpoint: Path) -> Path:
    return checkpoint.with_name(f"{checkpoint.name}.json")


def _remove(checkpoint: Path) -> None:
    checkpoint.unlink(missing_ok=True)
    _beside(checkpoint).unlink(missing_ok=True)

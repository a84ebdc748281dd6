"""The checkpoint that a fork begins with, kept in the fork's folder: the run it is of may go on, or go."""

import shutil
from pathlib import Path

from trainyard.runs.record import ForkedFrom
from trainyard.storage.errors import storage_error
from trainyard.storage.files import RunFolder, Storage


def checkpoint_file(folder: RunFolder, name: str) -> Path:
    """The file of `best`, `last` or an epoch's number, whether or not it exists."""
    named = {"best": folder.best_checkpoint, "last": folder.last_checkpoint}
    return named[name] if name in named else folder.epoch_checkpoint(int(name))


def origin_file(folder: RunFolder, origin: ForkedFrom) -> Path:
    """Where the fork of that folder keeps it; the name tells what it is of."""
    return folder.origin / f"{origin.run_id}-{origin.checkpoint}.ckpt"


def keep_origin(storage: Storage, fork_id: str, origin: ForkedFrom) -> None:
    """Put it there: a second name for the same bytes, a copy where the volume knows no hard links.

    Raises StorageUnavailable.
    """
    source = checkpoint_file(storage.run(origin.run_id), origin.checkpoint)
    target = origin_file(storage.run(fork_id), origin)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            target.hardlink_to(source)
        except OSError:
            shutil.copyfile(source, target)
    except OSError as error:
        raise storage_error(f"{source.name} could not be kept for the fork", error) from error

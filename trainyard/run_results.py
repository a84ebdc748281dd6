"""What attempts at a run leave behind, beside its record, events and log."""

import shutil
from contextlib import suppress
from pathlib import Path

from trainyard.storage import RunFolder


def clear_results(folder: RunFolder) -> None:
    """Remove all that attempts made, so that nothing is taken for a later attempt's: checkpoints, metrics,
    figures, reports, exports. The log is kept, and what the run begins with.

    What cannot be removed stays: whatever comes next replaces it file by file.
    """
    _remove_all_but(folder, folder.record, folder.config, folder.events, folder.log.parent, folder.origin)


def discard_work(folder: RunFolder) -> None:
    """Remove the results, and the checkpoint that a fork began with."""
    _remove_all_but(folder, folder.record, folder.config, folder.events, folder.log.parent)


def _remove_all_but(folder: RunFolder, *kept: Path) -> None:
    for path in folder.path.iterdir() if folder.path.exists() else []:
        if path in kept or path.suffix == ".tmp":  # a record that is just being written
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()

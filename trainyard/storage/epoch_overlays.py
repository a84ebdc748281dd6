"""Pictures of validation images with what a run sees in them, made while it trains: the newest epochs'.

They lie in the folder of the attempt that drew them, and the run's are those of the attempt whose rows of
metrics are the run's: so whoever is late draws what nobody sees.
"""

from collections.abc import Iterator
from pathlib import Path

from trainyard.storage.files import RunFolder

KEPT = 5
"""Epochs whose pictures are kept."""
_BEGIN, _END = "epoch=", ".jpg"


def overlay_file(folder: RunFolder, epoch: int) -> Path:
    """That of an epoch, counted from 1, in an attempt's folder, whether or not it exists."""
    return folder.overlays / f"{_BEGIN}{epoch:04d}{_END}"


def overlay_files(folder: RunFolder, attempt: int) -> Iterator[tuple[int, Path]]:
    """The epochs of which that attempt has pictures, oldest first, with their files.

    0 is no attempt: of a run without a service they lie in its own folder.
    """
    own = folder.attempt(attempt) if attempt else folder
    found = ((path.stem.removeprefix(_BEGIN), path) for path in own.overlays.glob(f"{_BEGIN}*{_END}"))
    yield from sorted((int(epoch), path) for epoch, path in found if epoch.isdecimal())


def drop_old_overlays(folder: RunFolder) -> None:
    """Delete those of all but the newest epochs in an attempt's folder; raises OSError."""
    for _, path in list(overlay_files(folder, 0))[:-KEPT]:
        path.unlink(missing_ok=True)

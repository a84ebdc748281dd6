"""Clears away what nobody comes back to: what a process leaves that is killed while it takes in a run, a data
set or a prediction, or deletes one.

Each look asks storage and Redis anew and removes one folder after the other, so that it may end anywhere.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from trainyard.errors import StorageUnavailable
from trainyard.registry.records import Records
from trainyard.storage.errors import storage_error
from trainyard.storage.files import DELETED, remove_folder, remove_half_deleted
from trainyard.storage.ids import is_id
from trainyard.storage.json_files import is_accepted, read_json

logger = logging.getLogger(__name__)

LOST_AFTER_S = 24 * 3600.0
"""What nobody has touched for so long is under way no more."""
AT_ONCE = 200
"""Folders that Redis is asked about in one go."""
_SUBMITTED = (
    *("upload.zip", "annotation", "dataset.json"),
    *("config.json", "run.json", "origin"),
    *("model.json", "card.json", "*.onnx"),
    "record.json",
    ".*.tmp",
)
"""What a folder may hold before its record is accepted. Anything else is somebody's work, and stays."""


def clear_leftovers(registries: Sequence[Records[Any]], now: float) -> list[str]:
    """Delete, of all kinds of records, half-deleted folders and those of records that were never accepted, if
    nothing of them has changed for LOST_AFTER_S before `now`, a Unix time; returns their names.

    Raises StorageUnavailable, and StoreUnavailable, also while not all records are known.
    """
    cleared = []
    for registry in registries:
        registry.require_complete()
        found = _entries(registry.folder)
        for folder in (path for path in found if path.name.endswith(DELETED) and _is_old(path, now)):
            remove_half_deleted(folder)
            cleared.append(folder.name)
        ids = [path for path in found if is_id(path.name)]
        for folder in _unaccepted(registry, ids, now):
            logger.warning("%s was never accepted, and is deleted.", folder.name)
            remove_folder(folder)
            cleared.append(folder.name)
    return cleared


def clear_abandoned(folder: Path, now: float) -> list[str]:
    """Delete what nobody has touched for LOST_AFTER_S: predictions whose server ended before it could, and
    uploads that were not gone on with; returns their names.

    Raises StorageUnavailable.
    """
    left = [path for path in _entries(folder) if _is_old(path, now)]
    for path in left:
        remove_folder(path)
    return [path.name for path in left]


def _unaccepted(registry: Records[Any], folders: Sequence[Path], now: float) -> Iterator[Path]:
    for first in range(0, len(folders), AT_ONCE):
        some = folders[first : first + AT_ONCE]
        unknown = registry.unknown([folder.name for folder in some])
        for folder in some:
            if folder.name in unknown and _is_left(registry, folder, now):
                yield folder


def _is_left(registry: Records[Any], folder: Path, now: float) -> bool:
    with suppress(StorageUnavailable):  # a record that cannot be read may have been accepted
        inside = _entries(folder)
        is_bare = all(any(fnmatch(path.name, name) for name in _SUBMITTED) for path in inside)
        is_bare = is_bare or _was_imported(registry.record_file(folder.name))
        is_old = all(_is_old(path, now) for path in (folder, *inside))
        return is_bare and is_old and not is_accepted(registry.record_file(folder.name))
    return False


def _was_imported(record: Path) -> bool:
    """Whether a run comes from elsewhere, where it still is: what lies here is a copy."""
    return record.is_file() and read_json(record).get("imported") is not None


def _is_old(path: Path, now: float) -> bool:
    """Whether it was last written or renamed long ago; what has just gone is not."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise storage_error(f"{path.name} could not be looked at", error) from error
    return now - max(found.st_mtime, found.st_ctime) > LOST_AFTER_S


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise storage_error(f"{folder.name} could not be read", error) from error

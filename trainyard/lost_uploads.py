"""Clears away what a server leaves that is killed during an upload: a folder that never gets a record."""

import logging
from pathlib import Path

from trainyard.storage import DatasetFolder, Storage, remove_folder

logger = logging.getLogger(__name__)

LOST_AFTER_S = 24 * 3600.0
"""An upload of which no byte has come for so long is lost."""


def clear_lost_uploads(storage: Storage, now: float) -> list[str]:
    """Delete the folders of uploads that were lost before `now`, a Unix time; returns their names.

    Raises StorageUnavailable.
    """
    lost = [folder for folder in storage.dataset_folders() if _is_lost(folder, now)]
    for folder in lost:
        logger.warning("%s is the rest of an upload that was cut off, and is deleted.", folder.path.name)
        remove_folder(folder.path)
    return [folder.path.name for folder in lost]


def _is_lost(folder: DatasetFolder, now: float) -> bool:
    received = folder.received()
    if not received or folder.record.exists():
        return False
    return all(now - changed > LOST_AFTER_S for changed in map(_changed, received))


def _changed(path: Path) -> float:
    """When a file was last written, Unix time; the future where it has just been put in its place."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")

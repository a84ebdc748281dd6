"""Temporary files of a training process that ended while it wrote them."""

import logging

from trainyard.storage import RunFolder

logger = logging.getLogger(__name__)


def remove_half_made(folder: RunFolder) -> None:
    """Delete what was begun in an attempt's folder; call it when its child has ended.

    Storage that takes no changes keeps them, which is logged: the next attempt sweeps them away.
    """
    for place in (folder.saved, folder.figures, folder.export):
        for file in place.rglob(".*.tmp*"):
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                logger.warning("%s could not be deleted: %s", file.name, error.strerror)

"""Temporary files of a training process that ended while it wrote them."""

import logging

from trainyard.storage import RunFolder

logger = logging.getLogger(__name__)


def remove_half_made(folder: RunFolder) -> None:
    """Delete what was begun among the files that training alone writes; call it when nobody trains the run.

    Storage that takes no changes keeps them, which is logged: the next attempt writes over them.
    """
    for place in (folder.checkpoints, folder.figures, folder.export):
        for file in place.rglob(".*.tmp*"):
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                logger.warning("%s could not be deleted: %s", file.name, error.strerror)

"""Writes that end an attempt: the work is done, so they wait for Redis however long it is away."""

import logging
import time
from collections.abc import Callable

from trainyard.errors import StorageUnavailable, StoreUnavailable

logger = logging.getLogger(__name__)

RETRY_S = 1.0
"""Pause before a write is tried again while Redis is away."""


def until_answered(write: Callable[[], None], record_id: str) -> None:
    """Try until Redis answers. Redis decides: where only storage fails, its copy stays behind."""
    while True:
        try:
            write()
        except StoreUnavailable as error:
            logger.warning("The end of %s waits for Redis: %s", record_id, error.message)
            time.sleep(RETRY_S)
        except StorageUnavailable as error:
            logger.error("%s: %s", record_id, error.message)
            return
        else:
            return

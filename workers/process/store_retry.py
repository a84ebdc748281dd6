"""Writes that end an attempt: the work is done, so they wait for Redis however long it is away."""

import logging
import threading
import time
from collections.abc import Callable

from trainyard.errors import OwnershipLost, StorageUnavailable, StoreUnavailable

logger = logging.getLogger(__name__)

RETRY_S = 1.0
"""Pause before a write is tried again while Redis is away."""
LAST_WORDS_S = 10.0
"""How long a worker that shuts down waits for Redis: less than what is left of its grace by then."""


def until_answered(write: Callable[[], None], record_id: str, draining: threading.Event) -> None:
    """Try until Redis answers. Redis decides: where only storage fails, its copy stays behind.

    A worker that shuts down gives up soon, with OwnershipLost: its lease lapses, and another worker goes on
    from what is committed.
    """
    give_up_at: float | None = None
    while True:
        try:
            write()
        except StoreUnavailable as error:
            logger.warning("The end of %s waits for Redis: %s", record_id, error.message)
            if draining.is_set():
                give_up_at = give_up_at or time.monotonic() + LAST_WORDS_S
            if give_up_at and time.monotonic() >= give_up_at:
                raise OwnershipLost(
                    f"{record_id} is left to another worker: this one shuts down while Redis is away."
                ) from error
            time.sleep(RETRY_S)
        except StorageUnavailable as error:
            logger.error("%s: %s", record_id, error.message)
            return
        else:
            return

"""Tells Flower and other monitors of attempts, over Celery's own event dispatcher.

Events are told from a thread and are kept while Redis is away, so that no work waits for them. What is in
work is told again now and then, for a monitor that was started later.
"""

import logging
import threading
import time
from collections import deque

from celery import Celery
from kombu.exceptions import OperationalError

from trainyard.errors import StoreUnavailable
from trainyard.scheduling.attempt_tasks import AttemptEvent, Worked, attempt_id, begun, ended, lost
from trainyard.store.connection import store_errors

logger = logging.getLogger(__name__)

AGAIN_S = 30.0
"""How often what is in work is told again."""
RETRY_S = 2.0
"""Pause before Redis is tried again."""
MOST_KEPT = 2000
"""Events kept while Redis is away; the oldest go first."""
LAST_S = 3.0
"""How long a process that ends waits for its last events to be told."""


class AttemptEvents:
    """Tells of the attempts of one worker, and of those that others have lost.

    Nothing connects before the first event.
    """

    def __init__(self, app: Celery, node: str = "") -> None:
        """`node` is the worker's Celery name; a process without makes no attempts."""
        self._app = app
        self._node = node
        self._waiting: deque[AttemptEvent] = deque(maxlen=MOST_KEPT)
        self._in_work: dict[str, tuple[AttemptEvent, ...]] = {}
        self._perhaps_unheard: list[AttemptEvent] = []
        """What Redis took late: monitors may have come back to it later still, and are told once more."""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def begin(self, record: Worked) -> None:
        """This worker has begun its attempt at a record."""
        events = begun(record, self._node)
        with self._changed:
            self._in_work[attempt_id(record)] = events
        self._tell(*events)

    def end(self, held: Worked, record: Worked | None) -> None:
        """The attempt at what was held has ended as the record says; None where it was another's by then."""
        with self._changed:
            self._in_work.pop(attempt_id(held), None)
        if record:
            self._tell(ended(record, self._node))

    def lose(self, record: Worked) -> None:
        """The attempt's worker was lost, and the record is taken back."""
        self._tell(lost(record))

    def close(self) -> None:
        """Tell what is left, unless Redis is away."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread:
            self._thread.join(LAST_S)

    def _tell(self, *events: AttemptEvent) -> None:
        with self._changed:
            self._waiting.extend(events)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="attempt events", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _work(self) -> None:
        again_at = time.monotonic() + AGAIN_S
        while True:
            is_away = not self._send_waiting()
            with self._changed:
                if self._is_closed and (is_away or not self._waiting):
                    return
                if is_away or not self._waiting:
                    self._changed.wait(RETRY_S if is_away else max(0.0, again_at - time.monotonic()))
                if is_away:
                    again_at = time.monotonic() + RETRY_S + AGAIN_S
                elif time.monotonic() >= again_at:
                    again_at = time.monotonic() + AGAIN_S
                    in_work = (event for events in self._in_work.values() for event in events)
                    self._waiting.extend([*self._perhaps_unheard, *in_work])
                    self._perhaps_unheard = []

    def _send_waiting(self) -> bool:
        """Whether all was told; what was not is kept."""
        while self._waiting:
            event = self._waiting[0]
            try:
                with store_errors(), self._app.events.default_dispatcher(hostname=event.node) as dispatcher:
                    dispatcher.send(event.kind, uuid=event.id, timestamp=event.at, **event.fields)
            except (OperationalError, StoreUnavailable, OSError) as error:
                self._perhaps_unheard = list(self._waiting)
                logger.warning("Monitors are told of %s later: %s", event.id, error)
                return False
            with self._changed:
                if self._waiting and self._waiting[0] is event:
                    self._waiting.popleft()
        return True

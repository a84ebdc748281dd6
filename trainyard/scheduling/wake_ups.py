"""Celery on Redis carries notified only: anonymous messages that say "this queue has work".

The work itself waits in the store. A notify is acknowledged before it is worked on; a lost one costs
seconds (`Notifier.ensure_notified`), never a run. Tasks are named, so that the API never imports worker code.
"""

from celery import Celery
from kombu.exceptions import OperationalError

from trainyard.catalog.names import DEVICE_CLASSES
from trainyard.errors import StoreUnavailable
from trainyard.store import keys
from trainyard.store.connection import Client, store_errors

INGEST_QUEUE = "ingest"
TRAIN_TASK = "trainyard.train"
INGEST_TASK = "trainyard.ingest"
TASKS = {INGEST_QUEUE: INGEST_TASK} | dict.fromkeys(DEVICE_CLASSES, TRAIN_TASK)
"""Each queue's task: runs wait by device class, data sets in a queue of their own."""

KICK_PAUSE_MS = 3000
"""Topping up leaves this much time between its notified to one queue, over all processes."""
KICKS_AT_ONCE = 100
"""Then it sends so many at most: workers that all begin together are not woken one after the other."""

_TRANSPORT = {
    "visibility_timeout": 60,  # s; messages are acknowledged within milliseconds
    "unacked_restore_interval": 5,  # s
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,  # s
    "socket_connect_timeout": 5,  # s
    "socket_keepalive": True,
    "health_check_interval": 10,  # s
    "global_keyprefix": keys.CELERY_PREFIX,
}


def make_celery(broker_url: str) -> Celery:
    """The Celery application for a client (API) or a worker; it connects when first used."""
    app = Celery("trainyard", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=False,
        task_ignore_result=True,
        result_backend=None,
        worker_pool="threads",
        worker_concurrency=1,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_send_task_events=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,  # a Redis that refuses writes ends no worker
        broker_transport_options=_TRANSPORT,
    )
    return app


class Notifier:
    """Sends notified."""

    def __init__(self, app: Celery, client: Client) -> None:
        self._app = app
        self._client = client

    def notify(self, queue: str) -> bool:
        """Say that the queue has work; False where the broker is away (topping up makes good for it)."""
        try:
            with store_errors():  # of a connection that breaks while it is used
                self._app.send_task(TASKS[queue], args=[queue], queue=queue, retry=False)
        except (OperationalError, StoreUnavailable, OSError):
            return False
        return True

    def ensure_notified(self, queue: str) -> None:
        """Send notified where more work waits than messages do; raises StoreUnavailable."""
        with store_errors():
            unheard = self._client.zcard(keys.queue(queue)) - self._client.llen(keys.celery_queue(queue))
            may = unheard > 0 and self._client.set(f"{keys.PREFIX}kick:{queue}", 1, nx=True, px=KICK_PAUSE_MS)
        for _ in range(min(unheard, KICKS_AT_ONCE) if may else 0):
            if not self.notify(queue):
                return

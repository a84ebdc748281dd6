"""Sends what webhooks are to be told, from threads beside everything else."""

import logging
import random
import threading
import time
from collections.abc import Sequence

from trainyard.errors import NotFound, StoreUnavailable, TrainyardError
from trainyard.registry.kept import KeptRecords
from trainyard.store.resources.webhook_store import DeliveryStore
from trainyard.webhooks.addresses import AddressRefused, Network
from trainyard.webhooks.post import TOTAL_S, NotSent, post
from trainyard.webhooks.record import Delivery, DeliveryState, Webhook
from trainyard.webhooks.signature import body_of, headers_of

logger = logging.getLogger(__name__)

WAITS_S = (10, 60, 300, 1800, 7200, 21600, 43200)
"""Seconds after each try that failed; after one more, 21 hours after the first, it has failed for good."""
SPREAD = 0.2
"""By which part of itself a wait is longer, at random: what failed together is not tried again together."""
LEASE_S = 3 * TOTAL_S
"""When a delivery is due again whose sender has died, or was kept from saying what came of it."""
REDIRECT = "A redirect, which is not followed."
THREADS = 4
PAUSE_S = 1.0


class WebhookSender:
    """Takes deliveries that are due, of whatever process' runs, and sends them."""

    def __init__(
        self, webhooks: KeptRecords[Webhook], deliveries: DeliveryStore, networks: Sequence[Network] = ()
    ) -> None:
        """`networks` may be sent to besides the Internet."""
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._networks = networks

    def start(self, stopped: threading.Event) -> None:
        """Send from threads of their own, until `stopped` is set."""
        for number in range(THREADS):
            name = f"webhooks-{number}"
            threading.Thread(target=self._send_all, args=[stopped], name=name, daemon=True).start()

    def send_next(self) -> bool:
        """Try the delivery that has been due longest; False where none is. Raises StoreUnavailable."""
        delivery = self._deliveries.claim(LEASE_S)
        if delivery is None:
            return False
        try:
            webhook = self._webhooks.get(delivery.webhook_id)
        except NotFound:
            return True  # it was removed a moment ago, and its deliveries go with it
        self._try(webhook, delivery)
        return True

    def _send_all(self, stopped: threading.Event) -> None:
        while not stopped.is_set():
            try:
                is_busy = self.send_next()
            except StoreUnavailable as error:
                logger.warning("Webhooks wait: %s", error.message)
                is_busy = False
            except TrainyardError as error:
                logger.error("A webhook cannot be told: %s", error.message)
                is_busy = True
            if not is_busy:
                stopped.wait(PAUSE_S)

    def _try(self, webhook: Webhook, delivery: Delivery) -> None:
        body = body_of(webhook, delivery)
        headers = headers_of(webhook, delivery, body, time.time())
        try:
            status = post(webhook.url, body, headers, self._networks)
        except AddressRefused as error:
            self._deliveries.settle(delivery.id, DeliveryState.FAILED, 0, None, error.message)
        except NotSent as error:
            self._again(delivery, None, str(error))
        else:
            if 200 <= status < 300:
                self._deliveries.settle(delivery.id, DeliveryState.DELIVERED, 0, status, None)
            else:
                self._again(delivery, status, REDIRECT if status // 100 == 3 else None)

    def _again(self, delivery: Delivery, status: int | None, error: str | None) -> None:
        if delivery.attempts >= len(WAITS_S):
            self._deliveries.settle(delivery.id, DeliveryState.FAILED, 0, status, error)
            return
        wait_s = WAITS_S[delivery.attempts] * (1 + SPREAD * random.random())  # noqa: S311 - no secret
        self._deliveries.settle(delivery.id, DeliveryState.WAITING, wait_s, status, error)

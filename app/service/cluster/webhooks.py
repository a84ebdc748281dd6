"""Use cases of webhooks: made, changed, tried out, and what was sent to them."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainyard.access import present_access
from trainyard.errors import Conflict, NotFound
from trainyard.registry.kept import KeptRecords
from trainyard.storage.ids import new_webhook_id
from trainyard.store.records import Page
from trainyard.store.resources.webhook_store import DeliveryStore
from trainyard.webhooks.addresses import Network
from trainyard.webhooks.post import check_url
from trainyard.webhooks.record import Delivery, Webhook, WebhookStatus

MAX_WEBHOOKS = 50
"""Of one project: each change of a run's status is told to all of them."""


@dataclass(frozen=True, kw_only=True)
class WebhookRequest:
    """What a client asks for; no `statuses` are all."""

    project: str
    url: str
    statuses: Sequence[str] = ()
    description: str = ""


class WebhookService:
    """Webhooks of projects."""

    def __init__(
        self, webhooks: KeptRecords[Webhook], deliveries: DeliveryStore, networks: Sequence[Network]
    ) -> None:
        """`networks` may be sent to besides the Internet."""
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._networks = networks

    def create(self, asked: WebhookRequest) -> Webhook:
        """A new webhook with its secret; raises InvalidRequest, Forbidden, and Conflict for one too many."""
        check_url(asked.url, self._networks)
        if len(self._webhooks.page(None, asked.project, None, MAX_WEBHOOKS).items) == MAX_WEBHOOKS:
            raise Conflict(f"The project {asked.project!r} has {MAX_WEBHOOKS} webhooks; delete one first.")
        made = Webhook(
            id=new_webhook_id(),
            project=asked.project,
            created_at=time.time(),
            created_by=present_access().who,
            url=asked.url,
            statuses=tuple(asked.statuses),
            description=asked.description,
            secret=_new_secret(),
        )
        return self._webhooks.create(made, WebhookStatus.ACTIVE)

    def page(self, project: str | None, cursor: str | None, limit: int) -> Page[Webhook]:
        """A page of webhooks, newest first."""
        return self._webhooks.page(None, project, cursor, limit)

    def get(self, webhook_id: str) -> Webhook:
        """The webhook; raises NotFound."""
        return self._webhooks.get(webhook_id)

    def change(self, webhook_id: str, values: Mapping[str, Any]) -> Webhook:
        """Change its address, what it is told of, its description, or pause it; raises as `create`."""
        if "url" in values:
            check_url(values["url"], self._networks)
        return self._webhooks.change(webhook_id, values)

    def renew_secret(self, webhook_id: str) -> Webhook:
        """The webhook with a new secret, which signs from now on; raises NotFound."""
        return self._webhooks.change(webhook_id, {"secret": _new_secret()})

    def remove(self, webhook_id: str) -> None:
        """Delete a webhook, and what waits for it; raises NotFound."""
        self._webhooks.remove(webhook_id)

    def try_out(self, webhook_id: str) -> Delivery:
        """A delivery that tells of nothing, which is sent as any other; raises NotFound, Conflict."""
        self._require_active(webhook_id)
        return _found(self._deliveries.ping(webhook_id), webhook_id)

    def redeliver(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Another delivery of what an earlier one told; raises NotFound, Conflict."""
        self._require_active(webhook_id)
        return _found(self._deliveries.again(webhook_id, delivery_id), delivery_id)

    def deliveries(self, webhook_id: str, cursor: str | None, limit: int) -> Page[Delivery]:
        """A page of what was and is to be sent, newest first; raises NotFound."""
        self._webhooks.get(webhook_id)
        return self._deliveries.page(webhook_id, cursor, limit)

    def delivery(self, webhook_id: str, delivery_id: str) -> Delivery:
        """One of these; raises NotFound."""
        return _found(self._deliveries.get(webhook_id, delivery_id), delivery_id)

    def _require_active(self, webhook_id: str) -> None:
        if self._webhooks.get(webhook_id).status != WebhookStatus.ACTIVE:
            raise Conflict(f"Webhook {webhook_id} is paused.", remedy="Resume it first.")


def _new_secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"


def _found(delivery: Delivery | None, name: str) -> Delivery:
    if delivery is None:
        raise NotFound(f"There is no delivery or webhook {name[:60]!r}.")
    return delivery

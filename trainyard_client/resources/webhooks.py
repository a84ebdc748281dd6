"""Webhooks: who is told when a run changes its status, and what was sent."""

from collections.abc import Iterator, Sequence
from typing import Any

from trainyard_client.decoding import decode
from trainyard_client.records import Delivery, MadeWebhook, Webhook
from trainyard_client.resources.paging import every
from trainyard_client.transport import Transport

ROOT = "/api/v1/webhooks"


class Webhooks:
    """`client.webhooks`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self, project: str, url: str, statuses: Sequence[str] = (), description: str | None = None
    ) -> MadeWebhook:
        """Make one; its `secret` is shown this once. No `statuses` are all."""
        body: dict[str, Any] = {"project": project, "url": url, "statuses": list(statuses)}
        if description:
            body["description"] = description
        return decode(MadeWebhook, self._transport.json("POST", ROOT, json=body))

    def list(self, *, project: str | None = None) -> Iterator[Webhook]:
        """All of them, newest first."""
        return every(self._transport, ROOT, Webhook, {"project": project})

    def get(self, webhook_id: str) -> Webhook:
        """The webhook, without its secret."""
        return decode(Webhook, self._transport.json("GET", f"{ROOT}/{webhook_id}"))

    def change(self, webhook_id: str, **changes: Any) -> Webhook:
        """Change url, statuses, description or status: `paused` or `active`."""
        return decode(Webhook, self._transport.json("PATCH", f"{ROOT}/{webhook_id}", json=changes))

    def renew_secret(self, webhook_id: str) -> MadeWebhook:
        """Let another secret sign from now on; it is shown this once."""
        return decode(MadeWebhook, self._transport.json("POST", f"{ROOT}/{webhook_id}/secret"))

    def delete(self, webhook_id: str) -> None:
        """Delete it, with what it was not told yet."""
        self._transport.json("DELETE", f"{ROOT}/{webhook_id}")

    def test(self, webhook_id: str) -> Delivery:
        """Send it a `ping`; what comes of it is in its deliveries."""
        return decode(Delivery, self._transport.json("POST", f"{ROOT}/{webhook_id}/test"))

    def deliveries(self, webhook_id: str) -> Iterator[Delivery]:
        """What it was and is to be told, newest first."""
        return every(self._transport, f"{ROOT}/{webhook_id}/deliveries", Delivery, {})

    def redeliver(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Send what a delivery told once more."""
        path = f"{ROOT}/{webhook_id}/deliveries/{delivery_id}/redeliver"
        return decode(Delivery, self._transport.json("POST", path))

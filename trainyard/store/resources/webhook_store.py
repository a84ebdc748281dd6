"""Deliveries to webhooks: made with each change of a run's status, taken by whoever sends, kept as a log.

A delivery is made by the very script that lets a run enter a status (`prelude.lua`), so none is missing
whoever dies when; and it is due until what came of it is known, so each is sent at least once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import cast

from trainyard.decoding import decoder
from trainyard.store import keys
from trainyard.store.connection import Client, run_script, run_together, store_errors
from trainyard.store.records import Life, Page
from trainyard.store.resources.kept_store import KeptStore
from trainyard.webhooks.record import PING, Delivery, DeliveryState, Webhook, WebhookStatus

WEBHOOK_LIFE = Life(waiting="", working="", failed=WebhookStatus.PAUSED)
"""Nobody takes a webhook; one whose record cannot be read is listed with those that are paused."""
_TEXTS = frozenset({"id", "webhook_id", "event", "state", "error", "redelivery_of"})
_decode = decoder(Delivery)


def webhook_store(client: Client) -> KeptStore[Webhook]:
    """All webhooks."""
    return KeptStore(client, "webhook", Webhook)


class DeliveryStore:
    """All deliveries. Methods raise StoreUnavailable."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def claim(self, lease_s: float) -> Delivery | None:
        """Take the next delivery for so long; see claim_delivery.lua. None where none is due."""
        outcome, found = run_script(self._client, "claim_delivery", int(lease_s * 1000))
        return _delivery(found) if outcome == "claimed" else None

    def settle(
        self,
        delivery_id: str,
        state: DeliveryState,
        wait_s: float,
        answer_status: int | None,
        error: str | None,
    ) -> None:
        """Say what came of a try; one that waits is tried again after `wait_s`."""
        told = {"answer_status": answer_status, "error": error}
        pairs = [text for name, value in told.items() for text in (name, "" if value is None else str(value))]
        run_script(self._client, "settle_delivery", delivery_id, state, int(wait_s * 1000), *pairs)

    def ping(self, webhook_id: str) -> Delivery | None:
        """A delivery that tells of nothing; None where there is no such webhook."""
        return self._told(webhook_id, PING, "")

    def again(self, webhook_id: str, delivery_id: str) -> Delivery | None:
        """A delivery of what an earlier one told; None where there is no such webhook or delivery."""
        return self._told(webhook_id, "", delivery_id)

    def get(self, webhook_id: str, delivery_id: str) -> Delivery | None:
        """The delivery to that webhook, or None."""
        with store_errors():
            found = cast("dict[str, str]", self._client.hgetall(keys.delivery(delivery_id)))
        return _delivery(found) if found and found["webhook_id"] == webhook_id else None

    def page(self, webhook_id: str, cursor: str | None, limit: int) -> Page[Delivery]:
        """A page of the log, newest first."""
        top = f"({int(cursor)}" if cursor else "+inf"
        with store_errors():
            index = keys.deliveries_of(webhook_id)
            ranged = self._client.zrevrangebyscore(
                index, top, "-inf", start=0, num=limit + 1, withscores=True
            )
            ids = cast("list[tuple[str, float]]", ranged)
            pipeline = self._client.pipeline(transaction=False)
            for delivery_id, _ in ids[:limit]:
                pipeline.hgetall(keys.delivery(delivery_id))
            found = [_delivery(one) for one in pipeline.execute() if one]
        return Page(list(found), str(int(ids[limit - 1][1])) if len(ids) > limit else None)

    def unkept(self, most: int) -> list[Delivery]:
        """Some of those that storage does not have as they are now."""
        with store_errors():
            ids = cast("list[str]", self._client.srandmember(keys.UNKEPT_DELIVERIES, most))
            pipeline = self._client.pipeline(transaction=False)
            for delivery_id in ids:
                pipeline.hgetall(keys.delivery(delivery_id))
            found = pipeline.execute()
            if gone := [one for one, texts in zip(ids, found, strict=True) if not texts]:
                self._client.srem(keys.UNKEPT_DELIVERIES, *gone)
        return [_delivery(texts) for texts in found if texts]

    def kept(self, deliveries: Sequence[Delivery]) -> None:
        """Storage has them as they are told here."""
        run_together(self._client, "kept_delivery", [[one.id, one.attempts] for one in deliveries])

    def restore(self, deliveries: Sequence[Delivery]) -> None:
        """Take them over from storage, but for those that are here; see restore_delivery.lua."""
        calls: list[list[str | int | float]] = []
        for one in deliveries:
            told = {name: value for name, value in asdict(one).items() if value is not None or name == "data"}
            texts = {name: str(v) if name in _TEXTS else json.dumps(v) for name, v in told.items()}
            calls.append([one.id, one.webhook_id, *(text for pair in texts.items() for text in pair)])
        run_together(self._client, "restore_delivery", calls)

    def _told(self, webhook_id: str, event: str, earlier: str) -> Delivery | None:
        outcome, found = run_script(self._client, "tell_webhook", webhook_id, event, earlier)
        return _delivery(found) if outcome == "ok" else None


def _delivery(texts: Mapping[str, str]) -> Delivery:
    known = {name: text if name in _TEXTS else json.loads(text) for name, text in texts.items()}
    found = _decode(known)
    return found if found.state == DeliveryState.WAITING else replace(found, due_at=None)

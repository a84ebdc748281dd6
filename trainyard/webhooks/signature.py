"""What a webhook is sent, and how its receiver knows that it comes from here."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

from trainyard.version import VERSION
from trainyard.webhooks.record import Delivery, Webhook

SIGNATURE, DELIVERY, EVENT = "Trainyard-Signature", "Trainyard-Delivery", "Trainyard-Event"


def body_of(webhook: Webhook, delivery: Delivery) -> bytes:
    """The JSON of a delivery, the same at each try."""
    content = {
        "event": delivery.event,
        "delivery_id": delivery.id,
        "webhook_id": webhook.id,
        "project": webhook.project,
        "occurred_at": datetime.fromtimestamp(delivery.created_at, UTC).isoformat(timespec="milliseconds"),
        "run": delivery.data,
    }
    return json.dumps(content, sort_keys=True).encode()


def headers_of(webhook: Webhook, delivery: Delivery, body: bytes, now: float) -> dict[str, str]:
    """The headers of a try at the Unix time `now`."""
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Trainyard/{VERSION}",
        EVENT: delivery.event,
        DELIVERY: delivery.id,
        SIGNATURE: signature(webhook.secret, int(now), body),
    }


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """`t=<Unix time>,v1=<HMAC-SHA256 in hex of "<Unix time>.<body>">`, keyed by the secret's text."""
    signed = f"{timestamp}.".encode() + body
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"

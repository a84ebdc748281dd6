"""The record of a webhook, and of each delivery to it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

RUN_STATUS, PING = "run.status", "ping"
"""What a delivery tells: that a run has entered a status, or that the webhook works."""


class WebhookStatus(StrEnum):
    """A paused webhook is told nothing, and learns nothing later of what happened meanwhile."""

    ACTIVE = "active"
    PAUSED = "paused"


class DeliveryState(StrEnum):
    """waiting -> delivered | failed, after the last try."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A webhook; times are seconds since 1970, UTC.

    `url` is told of each run of the project that enters one of `statuses`, of any where there are none. The
    `secret` signs what is sent, so it is kept as it is.
    """

    id: str
    project: str
    status: WebhookStatus = field(default=WebhookStatus.ACTIVE, metadata={"by_value": True})
    revision: int = 0
    created_at: float
    created_by: str
    url: str
    statuses: tuple[str, ...] = ()
    description: str = ""
    secret: str = ""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Something that a webhook is told; times are seconds since 1970, UTC.

    `data` is what it is told of the run, None of a ping. It has been tried `attempts` times, at last at
    `tried_at`, with the answer `answer_status` or the `error`; the next try is at `due_at`, None of one that
    waits no more. `redelivery_of` is the delivery that it repeats.
    """

    id: str
    webhook_id: str
    event: str
    data: dict[str, Any] | None = None
    created_at: float
    state: DeliveryState = field(default=DeliveryState.WAITING, metadata={"by_value": True})
    attempts: int = 0
    tried_at: float | None = None
    due_at: float | None = None
    answer_status: int | None = None
    error: str | None = None
    redelivery_of: str | None = None

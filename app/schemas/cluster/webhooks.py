"""Webhooks and deliveries as clients make and see them."""

from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields, pre_dump, validate, validates_schema

from app.schemas.fields import UNREADABLE, instant_field, name_field
from trainyard.access import present_access
from trainyard.runs.record import RunStatus
from trainyard.store.codec import UnreadableRecord
from trainyard.webhooks.post import URL_LENGTH
from trainyard.webhooks.record import DeliveryState, Webhook, WebhookStatus

PREFIX = "/api/v1/webhooks"
EXAMPLE = {"project": "lab", "url": "https://example.org/hook", "statuses": ["completed", "failed"]}
STATUSES = [status.value for status in RunStatus]
WEBHOOK_STATUSES = [status.value for status in WebhookStatus]


def _url_field(**options: Any) -> fields.String:
    return fields.String(
        validate=validate.Length(min=1, max=URL_LENGTH),
        metadata={
            "description": "an address of the Internet, by http or https",
            "format": "uri",
            "pattern": "^[hH][tT][tT][pP][sS]?://.+$",
        },
        **options,
    )


def _statuses_field(**options: Any) -> fields.List[Any]:
    return fields.List(
        fields.String(validate=validate.OneOf(STATUSES)),
        validate=validate.Length(max=len(STATUSES)),
        metadata={"description": "it is told of runs that enter one of these; empty: of any change"},
        **options,
    )


class WebhookRequestSchema(Schema):
    """A webhook that is to be made."""

    project = name_field("whose runs it is told of", required=True)
    url = _url_field(required=True)
    statuses = _statuses_field(load_default=[])
    description = name_field("what it is for", load_default="")


class WebhookChangeSchema(Schema):
    """What is to be changed of a webhook."""

    url = _url_field()
    statuses = _statuses_field()
    description = name_field("what it is for")
    status = fields.String(
        validate=validate.OneOf(WEBHOOK_STATUSES),
        metadata={"description": "a paused one is told nothing, and not later either"},
    )

    @validates_schema
    def not_empty(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a change of nothing."""
        if not data:
            raise ValidationError(f"Give at least one of: {', '.join(sorted(self.fields))}.")


class WebhookSchema(Schema):
    """A webhook as it is kept, without its secret."""

    id = fields.String()
    project = fields.String(allow_none=True)
    status = fields.String(metadata={"enum": [*WEBHOOK_STATUSES, UNREADABLE]})
    revision = fields.Integer(allow_none=True)
    created_at = instant_field("when it was made")
    created_by = fields.String(allow_none=True, metadata={"description": "id of a key, or another name"})
    url = fields.String(
        allow_none=True,
        metadata={"description": "without its path, which may be secret, for those who may not change it"},
    )
    statuses = fields.List(fields.String(), allow_none=True)
    description = fields.String(allow_none=True)

    @pre_dump
    def shown(self, found: Webhook | UnreadableRecord, **_: Any) -> dict[str, Any]:
        """The record as the caller may see it; of one that cannot be read, what is known."""
        if isinstance(found, UnreadableRecord):
            nothing: dict[str, Any] = dict.fromkeys(self.fields)
            return {**nothing, "id": found.id, "project": found.project, "status": UNREADABLE}
        parts = urlsplit(found.url)
        url = found.url if present_access().may_change(found.project) else f"{parts.scheme}://{parts.netloc}/"
        return {**vars(found), "status": found.status.value, "url": url}


class MadeWebhookSchema(WebhookSchema):
    """A webhook with the secret that has just been made for it."""

    secret = fields.String(metadata={"description": "signs what is sent; shown this once"})


class DeliverySchema(Schema):
    """Something that a webhook was or is to be told."""

    id = fields.String(metadata={"description": "also the header Trainyard-Delivery"})
    webhook_id = fields.String()
    event = fields.String(metadata={"description": "run.status or ping"})
    data = fields.Dict(allow_none=True, metadata={"description": "what it tells of the run; null of a ping"})
    created_at = instant_field("when what it tells of happened")
    state = fields.Enum(DeliveryState, by_value=True)
    attempts = fields.Integer()
    tried_at = instant_field("when it was tried last")
    due_at = instant_field("when it is tried next; null when it is tried no more")
    answer_status = fields.Integer(allow_none=True, metadata={"description": "of the last answer"})
    error = fields.String(
        allow_none=True, metadata={"description": "why there was none, or it counts as none"}
    )
    redelivery_of = fields.String(allow_none=True, metadata={"description": "the delivery that it repeats"})

"""/webhooks: who is told when a run changes its status"""

from typing import Any

from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.schemas.cluster.webhooks import (
    EXAMPLE,
    PREFIX,
    DeliverySchema,
    MadeWebhookSchema,
    WebhookChangeSchema,
    WebhookRequestSchema,
    WebhookSchema,
)
from app.schemas.fields import PageQuery, page_schema
from app.service.cluster.webhooks import WebhookRequest
from trainyard.store.records import Page
from trainyard.webhooks.record import Delivery, Webhook

blueprint = Blueprint(
    "webhooks", __name__, url_prefix=PREFIX, description="Who is told when a run changes its status."
)


@blueprint.route("")
class Webhooks(MethodView):
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_schema(WebhookSchema))
    def get(self, query: dict[str, Any]) -> Page[Webhook]:
        """List webhooks, newest first."""
        return services().webhooks.page(query.get("project"), query.get("cursor"), query["limit"])

    @blueprint.alt_response(409, schema="Error", description="the project has as many as it may have")
    @blueprint.arguments(WebhookRequestSchema, example=EXAMPLE)
    @blueprint.response(201, MadeWebhookSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self, body: dict[str, Any]) -> tuple[Webhook, int, dict[str, str]]:
        """Make a webhook. The answer has its secret, this once."""
        made = services().webhooks.create(WebhookRequest(**body))
        return made, 201, {"Location": f"{PREFIX}/{made.id}"}


@blueprint.route("/<webhook_id>")
class OneWebhook(MethodView):
    @blueprint.response(200, WebhookSchema)
    def get(self, webhook_id: str) -> Webhook:
        """Read a webhook."""
        return services().webhooks.get(webhook_id)

    @blueprint.arguments(WebhookChangeSchema, example={"status": "paused"})
    @blueprint.response(200, WebhookSchema)
    def patch(self, body: dict[str, Any], webhook_id: str) -> Webhook:
        """Change where it is sent, what it is told of, or pause it."""
        return services().webhooks.change(webhook_id, body)

    @blueprint.response(204)
    def delete(self, webhook_id: str) -> None:
        """Delete a webhook, with its log and what it was not told yet."""
        services().webhooks.remove(webhook_id)


@blueprint.route("/<webhook_id>/secret")
class Secret(MethodView):
    @blueprint.response(200, MadeWebhookSchema)
    def post(self, webhook_id: str) -> Webhook:
        """Make another secret, which signs from now on. The answer has it, this once."""
        return services().webhooks.renew_secret(webhook_id)


@blueprint.route("/<webhook_id>/test")
class Test(MethodView):
    @blueprint.alt_response(409, schema="Error", description="the webhook is paused")
    @blueprint.response(202, DeliverySchema)
    def post(self, webhook_id: str) -> Delivery:
        """Send it the event `ping`; what comes of it is in its deliveries."""
        return services().webhooks.try_out(webhook_id)


@blueprint.route("/<webhook_id>/deliveries")
class Deliveries(MethodView):
    @blueprint.arguments(PageQuery(exclude=["project"]), location="query")
    @blueprint.response(200, page_schema(DeliverySchema))
    def get(self, query: dict[str, Any], webhook_id: str) -> Page[Delivery]:
        """List what it was and is to be told, newest first: the newest 10,000."""
        return services().webhooks.deliveries(webhook_id, query.get("cursor"), query["limit"])


@blueprint.route("/<webhook_id>/deliveries/<delivery_id>")
class OneDelivery(MethodView):
    @blueprint.response(200, DeliverySchema)
    def get(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Read a delivery."""
        return services().webhooks.delivery(webhook_id, delivery_id)


@blueprint.route("/<webhook_id>/deliveries/<delivery_id>/redeliver")
class Redeliver(MethodView):
    @blueprint.alt_response(409, schema="Error", description="the webhook is paused")
    @blueprint.response(202, DeliverySchema)
    def post(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Send what it told once more, as a delivery of its own."""
        return services().webhooks.redeliver(webhook_id, delivery_id)

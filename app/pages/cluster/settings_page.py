"""Keys, webhooks with what they were told, and the room on the storage."""

import time

from flask import Blueprint, render_template

from app.composition import services
from app.http.access.authentication import authentication
from app.schemas.cluster.webhooks import STATUSES, WebhookSchema
from app.service.cluster.retention import ENDED
from trainyard.access import Role, present_access
from trainyard.tasks.registry import monitors

LISTED = 200
"""Webhooks and deliveries that are shown, the newest."""
_WEBHOOKS = WebhookSchema(many=True)


def add_to(blueprint: Blueprint) -> None:
    """Add the addresses."""
    blueprint.add_url_rule("/settings", "settings", show)
    blueprint.add_url_rule("/settings/webhooks/<webhook_id>", "webhook", show_webhook)


def show() -> str:
    """The page; what is an admin's to see is left out for others."""
    found = services()
    needs_key = authentication().needs_key
    is_admin = present_access().has(Role.ADMIN) or not needs_key
    figures = found.figures.look()
    return render_template(
        "cluster/settings.html",
        needs_key=needs_key,
        keys=found.access_keys.all() if is_admin else [],
        roles=[role.value for role in Role],
        now=time.time(),
        webhooks=_WEBHOOKS.dump(found.webhooks.page(None, None, LISTED).items),
        statuses=STATUSES,
        free=figures.storage_free_bytes,
        total=figures.storage_total_bytes,
        ended=[status.value for status in ENDED],
        metrics=list(monitors()),
    )


def show_webhook(webhook_id: str) -> str:
    """The page of a webhook: what it was told, and what came of it; raises NotFound."""
    found = services().webhooks
    webhook = found.get(webhook_id)
    [shown] = _WEBHOOKS.dump([webhook])
    deliveries = found.deliveries(webhook_id, None, LISTED)
    return render_template(
        "cluster/webhook.html",
        webhook=shown,
        deliveries=deliveries.readable,
        is_active=shown["status"] == "active",
    )

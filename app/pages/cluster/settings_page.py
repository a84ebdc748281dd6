"""Keys, webhooks with what they were told, and the room on the storage."""

import time
from typing import Any

from flask import Blueprint, Response

from app.composition import services
from app.http.access.authentication import authentication
from app.pages.early_head import page_response
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


def show() -> Response:
    """The page; what is an admin's to see is left out for others."""
    return page_response("cluster/settings.html", _found)


def _found() -> dict[str, Any]:
    found = services()
    needs_key = authentication().needs_key
    is_admin = present_access().has(Role.ADMIN) or not needs_key
    figures = found.figures.look()
    return {
        "needs_key": needs_key,
        "keys": found.access_keys.all() if is_admin else [],
        "roles": [role.value for role in Role],
        "now": time.time(),
        "webhooks": _WEBHOOKS.dump(found.webhooks.page(None, None, LISTED).items),
        "statuses": STATUSES,
        "free": figures.storage_free_bytes,
        "total": figures.storage_total_bytes,
        "ended": [status.value for status in ENDED],
        "metrics": list(monitors()),
    }


def show_webhook(webhook_id: str) -> Response:
    """The page of a webhook: what it was told, and what came of it; raises NotFound."""
    found = services().webhooks
    [shown] = _WEBHOOKS.dump([found.get(webhook_id)])
    return page_response(
        "cluster/webhook.html",
        lambda: {"deliveries": found.deliveries(webhook_id, None, LISTED).readable},
        webhook=shown,
        is_active=shown["status"] == "active",
    )

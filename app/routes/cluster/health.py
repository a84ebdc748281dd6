"""/ping, /healthz and /readyz"""

from typing import Any

from flask.views import MethodView
from marshmallow import Schema, fields

from app.composition import services
from app.http.requests.arguments import Blueprint
from trainyard.errors import HousekeepingStalled, StorageUnavailable, StoreUnavailable

blueprint = Blueprint("health", __name__, description="For probes and load balancers.")
OK = {"status": "ok"}
NOT_READY = {
    error.code: {
        "value": {
            **error("What is wrong with it.", errors={part: ["What is wrong with it."]}).to_dict(),
            "status": 503,
            "request_id": "0dd175142a689668",
        }
    }
    for part, error in (
        ("redis", StoreUnavailable),
        ("storage", StorageUnavailable),
        ("housekeeping", HousekeepingStalled),
    )
}


class HealthSchema(Schema):
    """All is well."""

    status = fields.String()


@blueprint.route("/ping")
class Ping(MethodView):
    @blueprint.response(200, HealthSchema)
    def get(self) -> dict[str, str]:
        """Answer."""
        return OK


@blueprint.route("/healthz")
class Alive(MethodView):
    @blueprint.response(200, HealthSchema)
    def get(self) -> dict[str, str]:
        """Say that the process lives."""
        return OK


class ReadySchema(HealthSchema):
    """All parts are ready."""

    parts = fields.Dict(
        keys=fields.String(), values=fields.String(), metadata={"description": "`ok` for each part"}
    )


@blueprint.route("/readyz")
class Ready(MethodView):
    @blueprint.alt_response(
        503,
        schema="Error",
        description="`errors` names each part that is not ready",
        examples=NOT_READY,
    )
    @blueprint.response(200, ReadySchema)
    def get(self) -> dict[str, Any]:
        """Say that Redis takes writes and has all records, storage takes files, and housekeeping goes on."""
        health = services().health
        health.check()
        return {**OK, "parts": dict.fromkeys(health.parts, "ok")}

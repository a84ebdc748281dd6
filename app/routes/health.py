"""/ping, /healthz and /readyz"""

from flask.views import MethodView
from marshmallow import Schema, fields

from app.composition import services
from app.http.arguments import Blueprint

blueprint = Blueprint("health", __name__, description="For probes and load balancers.")
OK = {"status": "ok"}


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


@blueprint.route("/readyz")
class Ready(MethodView):
    @blueprint.response(200, HealthSchema)
    def get(self) -> dict[str, str]:
        """Say that Redis answers and storage can be written."""
        services().health.check()
        return OK

"""/metrics: figures for Prometheus"""

from typing import cast

from flask import Response, current_app
from flask.views import MethodView
from prometheus_client import CollectorRegistry

from app.http.prometheus import CONTENT_TYPE, PATH, exposition
from app.http.requests.arguments import Blueprint

blueprint = Blueprint("metrics", __name__, description="For Prometheus.")
REGISTRY = "trainyard-figures"
"""Under which the application keeps its registry."""


@blueprint.route(PATH)
class Metrics(MethodView):
    @blueprint.response(200, {"type": "string"}, content_type="text/plain")
    def get(self) -> Response:
        """Read figures of the cluster and of this process, in the format of Prometheus."""
        registry = cast("CollectorRegistry", current_app.extensions[REGISTRY])
        return Response(exposition(registry), content_type=CONTENT_TYPE)

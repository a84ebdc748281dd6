"""/metrics/series"""

from typing import Any

from flask import Response, jsonify
from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.schemas.runs.metric_series import SeriesAnswerSchema, SeriesQuery

blueprint = Blueprint(
    "metric-series", __name__, url_prefix="/api/v1/metrics", description="Curves of several runs at once."
)


@blueprint.route("/series")
class Series(MethodView):
    @blueprint.arguments(SeriesQuery, location="query")
    @blueprint.response(200, SeriesAnswerSchema)
    def get(self, query: dict[str, Any]) -> Response:
        """Read metrics of several runs as curves: only what is new, and as many points as can be drawn."""
        found, since = services().series.read(
            query["runs"], query.get("names"), query.get("since"), query["max_points"]
        )
        return jsonify({"items": [vars(one) for one in found], "since": since})

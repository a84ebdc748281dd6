"""/runs/compare"""

from typing import Any

from flask import Response, jsonify
from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.schemas.runs.comparison import ComparisonQuery, ComparisonSchema, comparison_data
from app.schemas.runs.runs import PREFIX

blueprint = Blueprint("run-comparison", __name__, url_prefix=PREFIX, description="Runs beside each other.")


@blueprint.route("/compare")
class Compare(MethodView):
    @blueprint.arguments(ComparisonQuery, location="query")
    @blueprint.response(200, ComparisonSchema)
    def get(self, query: dict[str, Any]) -> Response:
        """Compare runs: the settings that differ, best and newest values of metrics side by side."""
        return jsonify(comparison_data(services().comparison.compare(query["ids"])))

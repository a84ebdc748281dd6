"""/runs/bulk: one thing done to many runs"""

from typing import Any

from flask.views import MethodView

from app.composition import services
from app.http.answers.errors import envelope
from app.http.requests.arguments import Blueprint
from app.schemas.runs.bulk import BulkSchema, BulkTargetsSchema, StopManySchema
from app.schemas.runs.runs import PREFIX
from app.service.runs.bulk import BulkOutcome

blueprint = Blueprint(
    "run-bulk", __name__, url_prefix=f"{PREFIX}/bulk", description="One thing done to many runs."
)
_EXAMPLE = {"ids": ["run-0123456789ab", "run-ba9876543210"]}


@blueprint.route("/stop")
class StopMany(MethodView):
    @blueprint.arguments(StopManySchema, example=_EXAMPLE)
    @blueprint.response(200, BulkSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Stop runs and keep their work; one that cannot be stopped keeps no other from it."""
        return _answer(services().run_bulk.stop(_once(body), body["when"]))


@blueprint.route("/cancel")
class CancelMany(MethodView):
    @blueprint.arguments(BulkTargetsSchema, example=_EXAMPLE)
    @blueprint.response(200, BulkSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Throw runs away; their records, events and logs stay."""
        return _answer(services().run_bulk.cancel(_once(body)))


@blueprint.route("/delete")
class DeleteMany(MethodView):
    @blueprint.arguments(BulkTargetsSchema, example=_EXAMPLE)
    @blueprint.response(200, BulkSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Delete runs that have ended, with their files."""
        return _answer(services().run_bulk.delete(_once(body)))


def _once(body: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(body["ids"]))


def _answer(outcomes: list[BulkOutcome]) -> dict[str, Any]:
    return {
        "items": [
            {"id": one.id, "status": one.status, "error": envelope(one.error) if one.error else None}
            for one in outcomes
        ],
        "failed": sum(one.error is not None for one in outcomes),
    }

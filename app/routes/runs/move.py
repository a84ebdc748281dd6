"""/runs/{id}/move"""

from typing import Any

from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.schemas.runs.runs import PREFIX, MoveSchema, RunStateSchema
from app.service.runs.runs import RunState

blueprint = Blueprint("run-move", __name__, url_prefix=PREFIX, description="The order of queued runs.")


@blueprint.route("/<run_id>/move")
class Move(MethodView):
    @blueprint.arguments(MoveSchema)
    @blueprint.response(200, RunStateSchema)
    def post(self, body: dict[str, Any], run_id: str) -> RunState:
        """Put a queued run before all others of its project with the same device class and priority, or right
        before or after one of these.

        Other projects keep their share; raise the priority to pass them.
        """
        runs = services().runs
        if "before" in body:
            return runs.move_beside(run_id, body["before"], -1)
        return runs.move_beside(run_id, body["after"], 1) if "after" in body else runs.move_to_front(run_id)

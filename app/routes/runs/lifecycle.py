"""/runs/{id}/cancel, /resume, /retry, /export and /fork"""

from typing import Any

from flask import request
from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.http.requests.idempotency import PARAMETER, idempotency_key
from app.schemas.runs.lifecycle import ExportSchema, ForkSchema, ResumeSchema
from app.schemas.runs.runs import PREFIX, RunStateSchema
from app.service.runs.forks import ForkRequest
from app.service.runs.runs import RunState

blueprint = Blueprint(
    "run-life", __name__, url_prefix=PREFIX, description="A run's end, and what may follow."
)
_CONFLICT = {
    "code": "conflict",
    "status": 409,
    "message": "Run run-0123456789ab is completed and cannot be cancelled.",
    "errors": {"status": "completed"},
    "cause": "user",
    "remedy": "Read the present state first; it says what may be done.",
    "request_id": "7f0c2a",
}


def _refused(description: str) -> Any:
    return blueprint.alt_response(409, schema="Error", description=description, example=_CONFLICT)


@blueprint.route("/<run_id>/cancel")
class Cancel(MethodView):
    @_refused("the run has ended otherwise; delete it instead")
    @blueprint.response(200, RunStateSchema, example={"id": "run-0123456789ab", "status": "cancelled"})
    def post(self, run_id: str) -> RunState:
        """Throw the run away: its checkpoints and results go, its record, events and log stay."""
        return services().run_life.cancel(run_id)


@blueprint.route("/<run_id>/resume")
class Resume(MethodView):
    @_refused("the run was cancelled, is under way, or is completed and asked for no more epochs")
    @blueprint.arguments(ResumeSchema, required=False, example={"epochs": 40})
    @blueprint.response(200, RunStateSchema, example={"id": "run-0123456789ab", "status": "queued"})
    def post(self, body: dict[str, Any], run_id: str) -> RunState:
        """Let a stopped, failed or completed run go on from its last checkpoint."""
        return services().run_life.resume(run_id, body.get("epochs"))


@blueprint.route("/<run_id>/retry")
class Retry(MethodView):
    @_refused("the run has not failed")
    @blueprint.response(200, RunStateSchema, example={"id": "run-0123456789ab", "status": "queued"})
    def post(self, run_id: str) -> RunState:
        """Let a failed run begin afresh; its next attempt clears what the earlier ones made.

        One whose report or export failed is not trained again: only they are written anew.
        """
        return services().run_life.retry(run_id)


@blueprint.route("/<run_id>/export")
class Export(MethodView):
    @_refused("the run is not completed, or its data set has been deleted")
    @blueprint.arguments(ExportSchema, required=False, example={"half": True})
    @blueprint.response(200, RunStateSchema, example={"id": "run-0123456789ab", "status": "finishing"})
    def post(self, body: dict[str, Any], run_id: str) -> RunState:
        """Have the ONNX files of a completed run written that it was not asked for when it was submitted.

        Its report is written anew with them, by its best epoch; nothing is trained. Meanwhile it is
        `finishing`. A run that has these files stays as it is.
        """
        return services().run_life.export(run_id, **body)


@blueprint.route("/<run_id>/fork")
class Fork(MethodView):
    @_refused("the run has no checkpoint, or the data set is not ready")
    @blueprint.doc(parameters=[PARAMETER])
    @blueprint.arguments(
        ForkSchema,
        required=False,
        example={"checkpoint": "best", "spec": {"optimization": {"learning_rate": 0.0001}}},
    )
    @blueprint.response(201, RunStateSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self, body: dict[str, Any], run_id: str) -> tuple[RunState, int, dict[str, str]]:
        """Submit a new run that begins with the weights of this one's checkpoint, as far as they fit."""
        created, fork = services().forks.fork(run_id, ForkRequest(**body), idempotency_key(request))
        headers = {"Location": f"{PREFIX}/{fork.id}"} | ({} if created else {"Idempotent-Replayed": "true"})
        return services().runs.state_after(fork), 201, headers

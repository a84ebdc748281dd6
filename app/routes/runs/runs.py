"""/runs"""

from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.http.requests.idempotency import PARAMETER, idempotency_key
from app.schemas.fields import page_schema
from app.schemas.runs.run_list import RunItemSchema, run_page
from app.schemas.runs.run_query import RunListQuery
from app.schemas.runs.run_table import run_table
from app.schemas.runs.runs import (
    PREFIX,
    CheckedRunSchema,
    RunChangeSchema,
    RunRequestSchema,
    RunStateSchema,
    StopSchema,
)
from app.service.runs.runs import RunRequest, RunState
from trainyard.runs.record import Run

blueprint = Blueprint("runs", __name__, url_prefix=PREFIX, description="Runs: a spec trained on a data set.")

_PAGE = page_schema(RunItemSchema)
_LISTED = {"application/json": {"schema": _PAGE}, "text/csv": {"schema": {"type": "string"}}}


def _next(cursor: str | None) -> dict[str, str]:
    """Where a table goes on, as a header (RFC 8288)."""
    if cursor is None:
        return {}
    return {"Link": f'<{PREFIX}?{urlencode({**request.args, "cursor": cursor})}>; rel="next"'}


@blueprint.route("")
class Runs(MethodView):
    @blueprint.arguments(RunListQuery, location="query")
    @blueprint.doc(responses={"200": {"content": _LISTED}})
    @blueprint.response(200, _PAGE)
    def get(self, asked: dict[str, Any]) -> Response:
        """List runs that meet all filters, newest first or in the order asked for."""
        page = services().runs.page(asked["query"])
        if asked["format"] == "csv":
            return Response(run_table(page), mimetype="text/csv", headers=_next(page.next_cursor))
        return Response(run_page(page, asked["fields"]), mimetype="application/json")

    @blueprint.doc(parameters=[PARAMETER])
    @blueprint.arguments(RunRequestSchema)
    @blueprint.response(201, RunStateSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self, body: dict[str, Any]) -> tuple[RunState, int, dict[str, str]]:
        """Submit a run; the answer holds its complete spec."""
        runs = services().runs
        created, run = runs.submit(RunRequest(**body), idempotency_key(request))
        headers = {"Location": f"{PREFIX}/{run.id}"} | ({} if created else {"Idempotent-Replayed": "true"})
        return runs.state_after(run), 201, headers


@blueprint.route("/check")
class Check(MethodView):
    @blueprint.arguments(RunRequestSchema)
    @blueprint.response(200, CheckedRunSchema)
    def post(self, body: dict[str, Any]) -> Run:
        """Check a run without submitting it: its complete spec, or the errors of a submission."""
        return services().runs.check(RunRequest(**body))


@blueprint.route("/<run_id>")
class OneRun(MethodView):
    @blueprint.response(200, RunStateSchema)
    def get(self, run_id: str) -> RunState:
        """Read a run: its record, where it stands, and what is wished of it."""
        return services().runs.state(run_id)

    @blueprint.arguments(RunChangeSchema)
    @blueprint.response(200, RunStateSchema)
    def patch(self, body: dict[str, Any], run_id: str) -> RunState:
        """Change the epoch target, also while the run trains, or what describes it.

        A finishing run trains on to a target above the epochs done; to any other the answer is 409. A data
        set takes the place of one that is not here, and has the same content.
        """
        epochs = body.pop("epochs", None)
        return services().runs.change(run_id, epochs, body)

    @blueprint.alt_response(409, schema="Error", description="the run has not ended")
    @blueprint.response(204)
    def delete(self, run_id: str) -> None:
        """Delete a run that has ended, with its files; forks of it stay."""
        services().run_life.remove(run_id)


@blueprint.route("/<run_id>/stop")
class Stop(MethodView):
    @blueprint.arguments(StopSchema, required=False)
    @blueprint.response(200, RunStateSchema)
    def post(self, body: dict[str, Any], run_id: str) -> RunState:
        """Stop the run and keep its work."""
        return services().runs.stop(run_id, body["when"])

"""/drafts: runs that are saved and not submitted"""

from typing import Any

from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.schemas.fields import PageQuery, page_schema
from app.schemas.runs.drafts import EXAMPLE, PREFIX, DraftChangeSchema, DraftRequestSchema, DraftSchema
from app.schemas.runs.runs import PREFIX as RUNS
from app.schemas.runs.runs import CheckedRunSchema, RunStateSchema
from app.service.runs.runs import RunState
from trainyard.library.draft import Draft
from trainyard.runs.record import Run
from trainyard.store.records import Page

blueprint = Blueprint("drafts", __name__, url_prefix=PREFIX, description="Runs that are saved for later.")
_LOCATION = {"Location": {"schema": {"type": "string"}}}


@blueprint.route("")
class Drafts(MethodView):
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_schema(DraftSchema))
    def get(self, query: dict[str, Any]) -> Page[Draft]:
        """List drafts, newest first; runs do not list them."""
        return services().drafts.page(query.get("project"), query.get("cursor"), query["limit"])

    @blueprint.arguments(DraftRequestSchema, required=False, example=EXAMPLE)
    @blueprint.response(201, DraftSchema, headers=_LOCATION)
    def post(self, body: dict[str, Any]) -> tuple[Draft, int, dict[str, str]]:
        """Save a draft: as much as is known of a run."""
        draft = services().drafts.save(body)
        return draft, 201, {"Location": f"{PREFIX}/{draft.id}"}


@blueprint.route("/<draft_id>")
class OneDraft(MethodView):
    @blueprint.response(200, DraftSchema)
    def get(self, draft_id: str) -> Draft:
        """Read a draft."""
        return services().drafts.get(draft_id)

    @blueprint.arguments(DraftChangeSchema, required=False, example={"spec": {"epochs": 50}, "notes": None})
    @blueprint.response(200, DraftSchema)
    def patch(self, body: dict[str, Any], draft_id: str) -> Draft:
        """Replace what is given; null leaves it out from now on. `spec` is replaced whole."""
        return services().drafts.change(draft_id, body)

    @blueprint.response(204)
    def delete(self, draft_id: str) -> None:
        """Throw a draft away."""
        services().drafts.remove(draft_id)


@blueprint.route("/<draft_id>/check")
class Check(MethodView):
    @blueprint.alt_response(409, schema="Error", description="the data set is not ready")
    @blueprint.response(200, CheckedRunSchema)
    def post(self, draft_id: str) -> Run:
        """Check a draft without submitting it: the run that would come of it, or what it lacks."""
        return services().drafts.check(draft_id)


@blueprint.route("/<draft_id>/submit")
class Submit(MethodView):
    @blueprint.alt_response(409, schema="Error", description="the data set is not ready")
    @blueprint.response(201, RunStateSchema, headers=_LOCATION)
    def post(self, draft_id: str) -> tuple[RunState, int, dict[str, str]]:
        """Make a run of a draft, which is gone then. Asked for again, the answer is the same run."""
        created, run = services().drafts.submit(draft_id)
        headers = {"Location": f"{RUNS}/{run.id}"} | ({} if created else {"Idempotent-Replayed": "true"})
        return services().runs.state_after(run), 201, headers

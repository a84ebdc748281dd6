"""/runs/import: experiments that were trained without a service"""

from flask import request
from flask.views import MethodView

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.http.requests.client import departure
from app.http.requests.idempotency import PARAMETER, idempotency_key
from app.http.requests.multipart import read_form
from app.http.requests.upload_slot import upload_slot
from app.schemas.runs.imports import ImportFields, ImportSchema
from app.schemas.runs.runs import PREFIX, RunStateSchema
from app.service.runs.runs import RunState
from trainyard.errors import InvalidRequest

blueprint = Blueprint("run_import", __name__, url_prefix=PREFIX)
_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": ImportSchema},
        "application/json": {"schema": ImportFields},
    },
}


@blueprint.route("/import")
class Import(MethodView):
    @blueprint.doc(requestBody=_FORM, parameters=[PARAMETER])
    @blueprint.response(201, RunStateSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self) -> tuple[RunState, int, dict[str, str]]:
        """Take in an experiment of `trainyard train` as a run that has ended, once a worker has checked it.

        Its checkpoints, metrics, history, report and exported files become those of the run. Where its data
        set is here, the run can be gone on with; without it, it can be forked, registered and downloaded.
        """
        imports = services().imports
        with upload_slot(request), imports.receiving() as upload:
            form = read_form(request, upload, ImportFields())
            if "annotation" in form.files:
                raise InvalidRequest("An experiment is one archive.", errors={"annotation": ["no such file"]})
            sent, key = form.files.get("file"), idempotency_key(request)
            created, run = imports.take(upload, form.fields, sent, key, departure(request))
        headers = {"Location": f"{PREFIX}/{run.id}"} | ({} if created else {"Idempotent-Replayed": "true"})
        return services().runs.state_after(run), 201, headers

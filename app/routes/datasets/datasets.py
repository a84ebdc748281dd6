"""/datasets"""

from typing import Any

from flask import Response, g, request
from flask.views import MethodView

from app.composition import services
from app.http.answers.conditional import file_response
from app.http.requests.arguments import Blueprint
from app.http.requests.idempotency import PARAMETER, idempotency_key
from app.http.requests.multipart import read_form
from app.http.requests.upload_slot import upload_slot
from app.schemas.datasets.datasets import (
    AnswersSchema,
    DatasetItemSchema,
    DatasetQuery,
    DatasetSchema,
    LabelMapSchema,
    RegistrationSchema,
    UploadFields,
    UploadProgressSchema,
    UploadSchema,
)
from app.schemas.fields import page_schema
from trainyard.datasets.record import Dataset
from trainyard.store.processes.uploads import UploadProgress
from trainyard.store.records import Page

PREFIX = "/api/v1/datasets"
blueprint = Blueprint(
    "datasets", __name__, url_prefix=PREFIX, description="Data sets: images with their masks."
)
_FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": UploadSchema},
        "application/json": {"schema": RegistrationSchema},
    },
}


@blueprint.route("")
class Datasets(MethodView):
    @blueprint.arguments(DatasetQuery, location="query")
    @blueprint.response(200, page_schema(DatasetItemSchema))
    def get(self, query: dict[str, Any]) -> Page[Dataset]:
        """List data sets, newest first."""
        return services().datasets.page(
            query.get("status"), query.get("project"), query.get("cursor"), query["limit"]
        )

    @blueprint.doc(requestBody=_FORM, parameters=[PARAMETER])
    @blueprint.response(202, DatasetSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self) -> tuple[Dataset, int, dict[str, str]]:
        """Upload a data set, or name one that lies in storage; it is then ingested.

        Sent with a header X-Request-ID, the upload can be followed at /datasets/uploads/{request_id}.
        """
        datasets = services().datasets
        with upload_slot(request), datasets.receiving(g.request_id, request.content_length) as upload:
            form = read_form(request, upload, UploadFields())
            created, dataset = datasets.create(
                upload,
                form.fields,
                form.files.get("file"),
                form.files.get("annotation"),
                form.names.get("annotation"),
                idempotency_key(request),
            )
        headers = {"Location": f"{PREFIX}/{dataset.id}"} | (
            {} if created else {"Idempotent-Replayed": "true"}
        )
        return dataset, 202, headers


@blueprint.route("/uploads/<request_id>")
class UploadUnderWay(MethodView):
    @blueprint.response(200, UploadProgressSchema)
    def get(self, request_id: str) -> UploadProgress:
        """See how far an upload is that is still coming in."""
        return services().datasets.progress(request_id)


@blueprint.route("/<dataset_id>")
class OneDataset(MethodView):
    @blueprint.response(200, DatasetSchema)
    def get(self, dataset_id: str) -> Dataset:
        """Read a data set: its status, what ingest found, and what is wrong with it."""
        return services().datasets.get(dataset_id)

    @blueprint.response(204)
    def delete(self, dataset_id: str) -> None:
        """Delete a data set with its files; refused while a queued or running run needs it."""
        services().datasets.remove(dataset_id)


@blueprint.route("/<dataset_id>/label-map")
class LabelMap(MethodView):
    @blueprint.arguments(LabelMapSchema)
    @blueprint.response(202, DatasetSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self, body: dict[str, Any], dataset_id: str) -> tuple[Dataset, int, dict[str, str]]:
        """Read the kept upload again with another label map, as a new version."""
        dataset = services().datasets.relabel(dataset_id, body["label_map"], body.get("classes"))
        return dataset, 202, {"Location": f"{PREFIX}/{dataset.id}"}


@blueprint.route("/<dataset_id>/retry")
class Retry(MethodView):
    @blueprint.alt_response(409, schema="Error", description="nothing has failed")
    @blueprint.response(202, DatasetSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self, dataset_id: str) -> tuple[Dataset, int, dict[str, str]]:
        """Read the kept upload again where that has failed; what is sent need not be sent again."""
        dataset = services().datasets.retry(dataset_id)
        return dataset, 202, {"Location": f"{PREFIX}/{dataset.id}"}


@blueprint.route("/<dataset_id>/answers")
class Answers(MethodView):
    @blueprint.arguments(AnswersSchema)
    @blueprint.response(202, DatasetSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self, body: dict[str, Any], dataset_id: str) -> tuple[Dataset, int, dict[str, str]]:
        """Answer what the files leave open; the kept upload is read again, as a new version."""
        dataset = services().datasets.answer(dataset_id, body["answers"], body["options"])
        return dataset, 202, {"Location": f"{PREFIX}/{dataset.id}"}


@blueprint.route("/<dataset_id>/questions/<question>/<choice>.png")
class QuestionPreview(MethodView):
    @blueprint.response(200, {"type": "string", "format": "binary"}, content_type="image/png")
    def get(self, dataset_id: str, question: str, choice: str) -> Response:
        """See what one reading of the files makes of them, where the choice has a preview."""
        found = services()
        found.hidden_pictures.check(found.datasets.get(dataset_id).project)
        path = found.datasets.preview(dataset_id, question, choice)
        return file_response(request, path, "image/png", as_attachment=False)

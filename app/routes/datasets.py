"""/datasets"""

from typing import Any

from flask import request
from flask.views import MethodView

from app.composition import services
from app.http.arguments import Blueprint
from app.http.multipart import read_form
from app.schemas.datasets import DatasetQuery, DatasetSchema, UploadFields, UploadSchema
from app.schemas.fields import page_schema
from trainyard.datasets import Dataset
from trainyard.store.records import Page

PREFIX = "/api/v1/datasets"
blueprint = Blueprint(
    "datasets", __name__, url_prefix=PREFIX, description="Data sets: images with their masks."
)
_FORM = {
    "required": True,
    "content": {"multipart/form-data": {"schema": UploadSchema}},
}


@blueprint.route("")
class Datasets(MethodView):
    @blueprint.arguments(DatasetQuery, location="query")
    @blueprint.response(200, page_schema(DatasetSchema))
    def get(self, query: dict[str, Any]) -> Page[Dataset]:
        """List data sets, newest first."""
        return services().datasets.page(
            query.get("status"), query.get("project"), query.get("cursor"), query["limit"]
        )

    @blueprint.doc(requestBody=_FORM)
    @blueprint.response(202, DatasetSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self) -> tuple[Dataset, int, dict[str, str]]:
        """Upload a data set: a zip archive, which is then ingested."""
        datasets = services().datasets
        with datasets.receiving() as upload:
            dataset = datasets.create(upload, read_form(request, upload, UploadFields()))
        return dataset, 202, {"Location": f"{PREFIX}/{dataset.id}"}


@blueprint.route("/<dataset_id>")
class OneDataset(MethodView):
    @blueprint.response(200, DatasetSchema)
    def get(self, dataset_id: str) -> Dataset:
        """Read a data set: its status, what ingest found, and what is wrong with it."""
        return services().datasets.get(dataset_id)

"""/datasets/{id}/samples"""

from typing import Any

from flask import Response, request
from flask.views import MethodView

from app.composition import services
from app.http.answers.conditional import precondition, without_body
from app.http.requests.arguments import Blueprint
from app.routes.datasets.datasets import PREFIX
from app.schemas.datasets.samples import PreviewQuery, SamplesQuery, SamplesSchema
from app.service.datasets.previews import render
from app.service.datasets.samples import PreparedIndex, SampleInfo

blueprint = Blueprint("samples", __name__, url_prefix=PREFIX, description="What is in a data set.")
_PNG = "image/png"


@blueprint.route("/<dataset_id>/samples")
class Samples(MethodView):
    @blueprint.arguments(SamplesQuery, location="query")
    @blueprint.response(200, SamplesSchema)
    def get(self, query: dict[str, Any], dataset_id: str) -> dict[str, Any]:
        """List the samples of the version in use, by position."""
        samples = services().samples
        found, cursor = samples.page(
            dataset_id,
            query.get("split"),
            query.get("class_name"),
            int(query.get("cursor", 0)),
            query["limit"],
        )
        index = samples.index(dataset_id)
        items = [_item(dataset_id, index, sample) for sample in found]
        return {"items": items, "next_cursor": None if cursor is None else str(cursor)}


@blueprint.route("/<dataset_id>/samples/<int:index>.png")
class Preview(MethodView):
    @blueprint.arguments(PreviewQuery, location="query")
    @blueprint.response(200, {"type": "string", "format": "binary"}, content_type=_PNG)
    def get(self, query: dict[str, Any], dataset_id: str, index: int) -> Response:
        """See a sample, at most 512 pixels a side."""
        found = services()
        found.hidden_pictures.check(found.datasets.get(dataset_id).project)
        version, sample = found.samples.sample(dataset_id, index)
        response = Response(mimetype=_PNG)
        response.set_etag(f"{version.content_hash[:16]}-{index}-{query['layer']}")
        response.cache_control.no_cache = True
        status = precondition(request, response)
        if status is not None:
            return without_body(response, status)
        response.data = render(version, sample, query["layer"])
        return response


def _item(dataset_id: str, index: PreparedIndex, sample: SampleInfo) -> dict[str, Any]:
    return {
        **vars(sample),
        "classes": [one.name for one in sample.classes],
        "objects": index.objects(sample),
        "url": f"{PREFIX}/{dataset_id}/samples/{sample.index}.png",
    }

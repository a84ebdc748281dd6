"""/uploads: files that come in several requests"""

from typing import Any, cast

from flask import Response, g, request
from flask.views import MethodView
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.wsgi import get_input_stream

from app.composition import services
from app.http.requests.arguments import Blueprint
from app.http.requests.upload_slot import upload_slot
from app.routes.datasets.datasets import PREFIX as DATASETS
from app.schemas.datasets.datasets import DatasetSchema
from app.schemas.datasets.resumable_uploads import (
    OFFSET,
    OFFSET_HEADER,
    OFFSET_PARAMETER,
    OFFSET_TYPE,
    PREFIX,
    FinishUploadSchema,
    ResumableUploadSchema,
    UploadBeginSchema,
)
from app.service.datasets.resumable_uploads import FinishRequest, PartialUpload, WholeFile
from trainyard.datasets.record import Dataset
from trainyard.errors import InvalidRequest

blueprint = Blueprint(
    "uploads", __name__, url_prefix=PREFIX, description="Files that come in several requests."
)
_BODY = {"required": True, "content": {OFFSET_TYPE: {"schema": {"type": "string", "format": "binary"}}}}


@blueprint.route("")
class Uploads(MethodView):
    @blueprint.alt_response(413, schema="Error", description="the file is larger than this server takes")
    @blueprint.arguments(UploadBeginSchema, example={"bytes": 1048576, "project": "lab"})
    @blueprint.response(201, ResumableUploadSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(self, body: dict[str, Any]) -> tuple[PartialUpload, int, dict[str, str]]:
        """Begin an upload that may break off: its bytes come by PATCH, in as many requests as it takes."""
        begun = services().resumable_uploads.begin(body["project"], body["bytes"])
        return begun, 201, {"Location": f"{PREFIX}/{begun.id}"}


@blueprint.route("/<upload_id>")
class OneUpload(MethodView):
    @blueprint.response(200, ResumableUploadSchema, headers=OFFSET_HEADER)
    def get(self, upload_id: str) -> tuple[PartialUpload, int, dict[str, str]]:
        """See how far an upload is: whoever lost the line goes on from there."""
        found = services().resumable_uploads.state(upload_id)
        return found, 200, {OFFSET: str(found.offset)}

    @blueprint.doc(requestBody=_BODY, parameters=[OFFSET_PARAMETER])
    @blueprint.alt_response(409, schema="Error", description="the upload has another offset")
    @blueprint.alt_response(413, schema="Error", description="more comes than was announced")
    @blueprint.response(204, headers=OFFSET_HEADER)
    def patch(self, upload_id: str) -> Response:
        """Send bytes of the file from `Upload-Offset` on. What has come stays, should the line break."""
        offset = _offset()
        if request.mimetype != OFFSET_TYPE:
            raise UnsupportedMediaType(f"Send the bytes as `{OFFSET_TYPE}`.")
        with upload_slot(request):
            stream = cast("Any", get_input_stream(request.environ))
            reached = services().resumable_uploads.receive(
                upload_id, offset, stream, request.content_length or 0
            )
        return Response(status=204, headers={OFFSET: str(reached)})

    @blueprint.response(204)
    def delete(self, upload_id: str) -> None:
        """Throw an upload away. One that nobody goes on with for a day is thrown away by itself."""
        services().resumable_uploads.abandon(upload_id)


@blueprint.route("/<upload_id>/finish")
class Finish(MethodView):
    @blueprint.alt_response(409, schema="Error", description="not all bytes are there")
    @blueprint.arguments(FinishUploadSchema)
    @blueprint.response(202, DatasetSchema, headers={"Location": {"schema": {"type": "string"}}})
    def post(
        self, body: tuple[str, WholeFile | None, Any], upload_id: str
    ) -> tuple[Dataset, int, dict[str, str]]:
        """Make a data set of the whole file, which is ingested then. Asked for again, it is the same set."""
        sha256, annotation, dataset = body
        archive = WholeFile(upload_id=upload_id, sha256=sha256)
        asked = FinishRequest(archive=archive, annotation=annotation, dataset=dataset)
        with upload_slot(request):
            created, made = services().resumable_uploads.finish(g.request_id, upload_id, asked)
        headers = {"Location": f"{DATASETS}/{made.id}"} | ({} if created else {"Idempotent-Replayed": "true"})
        return made, 202, headers


def _offset() -> int:
    text = request.headers.get(OFFSET, "")
    if not (text.isascii() and text.isdecimal()) or len(text) > 16:
        raise InvalidRequest(f"{OFFSET} is missing.", errors={OFFSET: ["the number of bytes that are there"]})
    return int(text)

"""Multipart uploads: the file's bytes go straight to where the use case wants them."""

from typing import IO, Any, cast

from flask import Request
from marshmallow import Schema, ValidationError
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.formparser import FormDataParser
from werkzeug.wsgi import get_input_stream

from app.http.arguments import refuse_repeated
from app.service.uploads import Upload
from trainyard.errors import InvalidRequest, PayloadTooLarge

FORM_BYTES = 1024 * 1024
"""Room for the text fields and the frame around the file."""
MAX_PARTS = 20
FILE_FIELD = "file"


def read_form(request: Request, upload: Upload, schema: Schema) -> Any:
    """Receive the file into `upload`; the text fields, loaded by `schema`.

    Raises UnsupportedMediaType, BadRequest for a broken body, PayloadTooLarge, StorageUnavailable, and
    InvalidRequest that names the field.
    """
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("Send the archive as `multipart/form-data`.")
    form, files = _parse(request, upload)
    if files.keys() != {FILE_FIELD}:
        raise InvalidRequest(
            "One file is needed.", errors={name: ["the file's field"] for name in {FILE_FIELD, *files}}
        )
    refuse_repeated(form)
    try:
        return schema.load(form.to_dict())
    except ValidationError as error:
        raise InvalidRequest("The request is not valid.", errors=error.messages_dict) from error


def _parse(request: Request, upload: Upload) -> tuple[MultiDict[str, str], MultiDict[str, Any]]:
    most = upload.max_bytes + FORM_BYTES
    if (request.content_length or 0) > most:
        raise PayloadTooLarge(f"The archive is larger than {upload.max_bytes} bytes.")
    parser = FormDataParser(
        stream_factory=lambda *_, **__: cast("IO[bytes]", upload.open()),
        max_form_memory_size=FORM_BYTES,
        max_form_parts=MAX_PARTS,
        silent=False,
    )
    stream = get_input_stream(request.environ, max_content_length=most)
    try:
        _, form, files = parser.parse(
            stream, request.mimetype, request.content_length, request.mimetype_params
        )
    except ValueError as error:
        raise BadRequest(f"The multipart body is broken: {error}.") from error
    return form, files

"""Multipart uploads: the files' bytes go straight to where the use case wants them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Protocol, cast

from flask import Request
from marshmallow import Schema, ValidationError
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import BadRequest, UnsupportedMediaType
from werkzeug.formparser import FormDataParser
from werkzeug.wsgi import get_input_stream

from app.http.requests.arguments import read_json_body, refuse_repeated, refuse_text_in_place
from app.service.datasets.uploads import ReceivedFile, Upload
from app.service.models.received_images import ReceivedImages
from trainyard.errors import InvalidRequest, PayloadTooLarge
from trainyard.unknown_fields import with_names

FORM_BYTES = 1024 * 1024
"""Room for the text fields and the frame around the files."""
MAX_PARTS = 32
FILES = ("file", "annotation")


class Receiving(Protocol):
    """Where files go as they come, and how many bytes they may have together."""

    @property
    def max_bytes(self) -> int: ...
    def open(self) -> ReceivedFile: ...


@dataclass(frozen=True)
class Form:
    """What came: the loaded text fields, the files by field, and the names that the client gave them."""

    fields: Any
    files: Mapping[str, ReceivedFile] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def read_form(request: Request, upload: Upload, schema: Schema) -> Form:
    """Receive files into `upload`, and the fields, loaded by `schema`; a JSON body has fields only.

    Raises UnsupportedMediaType, BadRequest for a broken body, PayloadTooLarge, StorageUnavailable, and
    InvalidRequest that names the field.
    """
    if request.is_json:
        data = read_json_body(request) or {}
        refuse_text_in_place(schema, data)
        return Form(_loaded(schema, data))
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("Send the archive as `multipart/form-data`, or JSON with `path`.")
    form, files = _parse(request, upload)
    sent = {name: found for name, found in files.items(multi=True) if found.filename or name != "annotation"}
    wrong = [name for name, found in files.lists() if name not in FILES or len(found) > 1]
    if wrong:
        raise InvalidRequest(
            "Only the files `file` and `annotation` are taken, each once.",
            errors={name: ["one file under `file`, and one under `annotation`"] for name in {"file", *wrong}},
        )
    refuse_repeated(form)
    return Form(
        _loaded(schema, form.to_dict()),
        {name: cast("ReceivedFile", found.stream) for name, found in sent.items()},
        {name: found.filename or "" for name, found in sent.items()},
    )


def _loaded(schema: Schema, data: Any) -> Any:
    try:
        return schema.load(data)
    except ValidationError as error:
        raise InvalidRequest(
            "The request is not valid.", errors=with_names(schema, error.messages_dict)
        ) from error


def read_images(request: Request, images: ReceivedImages, schema: Schema) -> tuple[Any, list[str]]:
    """Receive the files of the field `image`; the other fields, loaded by `schema`, and the files' names.

    Raises as `read_form`.
    """
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("Send images as `multipart/form-data`, each under `image`.")
    form, files = _parse(request, images)
    if set(files) != {"image"}:
        raise InvalidRequest(
            "Images are sent as files under `image`, 1 or more.",
            errors={name: [f"1 to {images.most} files under `image`"] for name in {"image", *files}},
        )
    refuse_repeated(form)
    return _loaded(schema, form.to_dict()), [one.filename or "image" for one in files.getlist("image")]


def _parse(request: Request, upload: Receiving) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    most = upload.max_bytes + FORM_BYTES
    if (request.content_length or 0) > most:
        raise PayloadTooLarge(f"The upload is larger than {upload.max_bytes} bytes.")
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

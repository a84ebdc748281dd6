"""Uploads in several requests, as clients see them."""

import re
from typing import Any

from marshmallow import Schema, fields, post_load, validate

from app.schemas.datasets.datasets import UploadFields
from app.schemas.fields import instant_field, name_field
from app.service.datasets.resumable_uploads import WholeFile

PREFIX = "/api/v1/uploads"
OFFSET = "Upload-Offset"
OFFSET_TYPE = "application/offset+octet-stream"
OFFSET_PARAMETER = {
    "in": "header",
    "name": OFFSET,
    "required": True,
    "schema": {"type": "integer", "minimum": 0},
    "description": "where in the file the body begins: the bytes that are there",
}
OFFSET_HEADER = {OFFSET: {"schema": {"type": "integer"}}}
_SHA256 = validate.Regexp(re.compile(r"[0-9a-fA-F]{64}\Z"), error="Must be a SHA-256 in hex.")


def sha256_field(help: str, **options: Any) -> fields.String:
    """A SHA-256 in hexadecimal digits."""
    return fields.String(validate=_SHA256, metadata={"description": help}, **options)


class UploadBeginSchema(Schema):
    """A file that is to come."""

    bytes = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=2**53))
    project = name_field("project of the data set that it is for", load_default="default")


class ResumableUploadSchema(Schema):
    """A file on its way."""

    id = fields.String()
    project = fields.String()
    bytes = fields.Integer(attribute="total")
    offset = fields.Integer(metadata={"description": "bytes that are there; the rest is to be sent"})
    created_at = instant_field("when it was begun")


class WholeFileSchema(Schema):
    """A file beside the archive that has come whole, too."""

    upload_id = fields.String(required=True)
    sha256 = sha256_field("of the whole file, in hex", required=True)
    name = name_field("the file's name", required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> WholeFile:
        """The file as its use case takes it."""
        return WholeFile(**data)


class FinishUploadSchema(UploadFields):
    """What a data set is to be made of: the whole upload, with the options of any other."""

    sha256 = sha256_field("of the whole file, in hex", required=True)
    annotation = fields.Nested(
        WholeFileSchema, metadata={"description": "an annotation file that is not in the archive"}
    )

    class Meta:
        exclude = ("path", "project")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> tuple[str, WholeFile | None, Any]:
        """The SHA-256, the annotation, and the data set as its use case takes it."""
        own = {"project": "", **data}
        return own.pop("sha256"), own.pop("annotation", None), super().make(own)

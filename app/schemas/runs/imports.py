"""Experiments that are handed over, as clients send them."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from app.schemas.datasets.option_fields import Structured
from app.schemas.datasets.resumable_uploads import sha256_field
from app.schemas.fields import group_field, name_field, notes_field, tags_field
from app.service.datasets.resumable_uploads import WholeFile
from app.service.runs.imports import ImportRequest


class TagsField(Structured):
    """Tags as a list, or as its JSON text where a form sends them."""

    def check(self, content: Any) -> list[str]:
        """See `Structured.check`."""
        tags: list[str] = tags_field().deserialize(content)
        return tags


class ImportFields(Schema):
    """What is said of an experiment, beside its archive."""

    name = name_field("name of the run; that of the experiment where it is left out")
    project = name_field("project it belongs to; where it is left out its data set's, or `default`")
    notes = notes_field()
    tags = TagsField(
        metadata={
            "type": "array",
            "items": {"type": "string"},
            "description": "words to find the run by; no commas",
        }
    )
    group = group_field()
    dataset_id = fields.String(
        validate=validate.Length(max=100),
        metadata={
            "description": "the data set it was trained on; found by its content where it is left out, and "
            "may not be here at all"
        },
    )
    upload_id = fields.String(
        validate=validate.Length(max=100),
        metadata={"description": "in place of `file`: an upload of POST /uploads that is whole"},
    )
    sha256 = sha256_field("of the whole upload, in hex")

    @validates_schema
    def uploads_have_hashes(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse an upload without its SHA-256, and the reverse."""
        missing = {"upload_id", "sha256"} - data.keys()
        if len(missing) == 1:
            raise ValidationError("An upload is named with its SHA-256.", missing.pop())

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ImportRequest:
        """The request as its use case takes it."""
        upload_id, sha256 = data.pop("upload_id", None), data.pop("sha256", None)
        file = WholeFile(upload_id=upload_id, sha256=sha256) if upload_id else None
        return ImportRequest(file=file, **data)


class ImportSchema(ImportFields):
    """The whole form, for the API's description."""

    file = fields.Raw(
        metadata={
            "type": "string",
            "format": "binary",
            "description": "zip or tar archive of the experiment's folder; needed without `upload_id`",
        },
    )

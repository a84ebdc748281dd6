"""Data sets as clients send and see them."""

from typing import Any

from marshmallow import Schema, fields, post_load, pre_dump, validate
from marshmallow_dataclass import class_schema

from app.schemas.datasets.ingest_options import OptionsFields, options_of
from app.schemas.datasets.option_fields import ClassesField, LabelMapField
from app.schemas.fields import UNREADABLE, PageQuery, instant_field, name_field
from app.service.datasets.datasets import DatasetRequest
from trainyard.datasets.record import (
    Dataset,
    DatasetStatus,
    DatasetSummary,
    IngestOptions,
    Problem,
    Question,
    RefusedChange,
)
from trainyard.store.codec import UnreadableRecord

OptionsSchema = class_schema(IngestOptions)


class UploadFields(OptionsFields):
    """The text fields of an upload, beside its files."""

    name = name_field("name of the set", required=True)
    project = name_field("project it belongs to", load_default="default")
    path = fields.String(
        validate=validate.Length(min=1, max=1000),
        metadata={
            "description": "in place of `file`: an archive or a folder below the data root, "
            "which is read where it lies"
        },
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> DatasetRequest:
        """The request as its use case takes it."""
        return DatasetRequest(
            name=data["name"], project=data["project"], incoming=data.get("path"), options=options_of(data)
        )


class UploadSchema(UploadFields):
    """The whole form, for the API's description."""

    file = fields.Raw(
        metadata={
            "type": "string",
            "format": "binary",
            "description": "zip or tar archive of images with masks or annotations; needed without `path`",
        },
    )
    annotation = fields.Raw(
        metadata={
            "type": "string",
            "format": "binary",
            "description": "an annotation file that is not in the archive",
        },
    )


class RegistrationSchema(UploadFields):
    """A data set that lies in storage already; `path` is needed."""


class UploadProgressSchema(Schema):
    """How far an upload is."""

    received = fields.Integer(metadata={"description": "bytes"})
    total = fields.Integer(allow_none=True, metadata={"description": "bytes of the whole request"})


class LabelMapSchema(Schema):
    """What masks' values mean, said anew."""

    label_map = LabelMapField(required=True, metadata=OptionsFields._declared_fields["label_map"].metadata)
    classes = ClassesField(metadata=OptionsFields._declared_fields["classes"].metadata)


class AnswersSchema(Schema):
    """What settles the questions of a set: choices, or the options themselves."""

    answers = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        load_default=dict,
        metadata={"description": "the key of a choice by the code of its question"},
    )
    options = fields.Nested(
        OptionsFields,
        load_default=dict,
        metadata={"description": "options of the upload to be set, whether or not a question names them"},
    )


class VersionSchema(Schema):
    """A version: what one ingest made of the upload."""

    version = fields.Integer(metadata={"description": "from 1"})
    content_hash = fields.String(metadata={"description": "its name; a run records it"})
    created_at = instant_field("when it was ready")
    images = fields.Integer()
    splits = fields.Dict(keys=fields.String(), values=fields.Integer())
    label_map = fields.Dict(keys=fields.String(), values=fields.Integer(allow_none=True), allow_none=True)


class DatasetSchema(Schema):
    """A data set."""

    id = fields.String()
    name = fields.String()
    project = fields.String()
    status = fields.Enum(DatasetStatus, by_value=True)
    revision = fields.Integer()
    created_at = instant_field("when it was accepted")
    started_at = instant_field("when its ingest began")
    ended_at = instant_field("when its ingest ended")
    options = fields.Nested(OptionsSchema)
    upload_bytes = fields.Integer()
    annotation_name = fields.String(allow_none=True, metadata={"description": "as the client named the file"})
    path = fields.String(
        attribute="incoming",
        allow_none=True,
        metadata={"description": "below the data root, where it is read there"},
    )
    parts = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        allow_none=True,
        metadata={"description": "the same of several folders and files, by their names at the set's top"},
    )
    images_done = fields.Integer()
    images_total = fields.Integer(allow_none=True)
    version = fields.Integer(
        allow_none=True, metadata={"description": "the version in use; null before the first is ready"}
    )
    versions = fields.List(fields.Nested(VersionSchema))
    summary = fields.Nested(class_schema(DatasetSummary), allow_none=True)
    problems = fields.List(fields.Nested(class_schema(Problem)))
    questions = fields.List(
        fields.Nested(class_schema(Question)),
        metadata={"description": "what the files leave open, while the status is `question`"},
    )
    proposed_label_map = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(allow_none=True),
        allow_none=True,
        metadata={"description": "to be sent to label-map where the values of masks do not fit the classes"},
    )
    change = fields.Nested(
        OptionsSchema,
        allow_none=True,
        metadata={"description": "options that wait for their ingest; the version in use stays usable"},
    )
    refused_change = fields.Nested(
        class_schema(RefusedChange),
        allow_none=True,
        metadata={"description": "the latest change, where its ingest failed and an earlier version stays"},
    )
    error = fields.Dict(allow_none=True)


class DatasetItemSchema(DatasetSchema):
    """A data set as lists show it; GET /datasets/{id} has the whole record."""

    class Meta:
        exclude = (
            "options",
            "versions",
            "problems",
            "questions",
            "proposed_label_map",
            "change",
            "refused_change",
        )

    status = fields.String(  # type: ignore[assignment]  # one more than a record has
        metadata={"enum": [*(one.value for one in DatasetStatus), UNREADABLE]}
    )
    unreadable = fields.String(
        allow_none=True,
        metadata={"description": "why the record cannot be read; it can be deleted"},
    )

    @pre_dump
    def flatten(self, found: Dataset | UnreadableRecord, **_: Any) -> dict[str, Any]:
        """The record's fields, or what is known of one that cannot be read."""
        if isinstance(found, UnreadableRecord):
            told = {"id": found.id, "project": found.project, "name": found.name}
            return {**_NOTHING, **told, "status": UNREADABLE, "unreadable": found.problem}
        return {**vars(found), "unreadable": None}


_NOTHING: dict[str, Any] = {
    field.attribute or name: None for name, field in DatasetItemSchema().fields.items()
}


class DatasetQuery(PageQuery):
    """Which data sets are wanted."""

    status = fields.String(validate=validate.OneOf([status.value for status in DatasetStatus]))

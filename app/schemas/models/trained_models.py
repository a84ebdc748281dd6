"""Trained models as clients register and see them."""

from typing import Any
from urllib.parse import quote

from marshmallow import Schema, fields, post_load, pre_dump, validate
from webargs.fields import DelimitedList

from app.schemas.fields import UNREADABLE, PageQuery, instant_field, name_field, notes_field
from app.service.models.models import ModelRequest
from trainyard.library.trained_model import ModelStage, TrainedModel
from trainyard.registry.models import ModelQuery
from trainyard.store.codec import UnreadableRecord

PREFIX = "/api/v1/trained-models"
STAGES = [stage.value for stage in ModelStage]
EXAMPLE = {
    "run_id": "run-0123456789ab",
    "name": "nuclei",
    "stage": "staging",
    "notes": "trained on the second half of the slides",
}


def stage_field(**options: Any) -> fields.Enum[ModelStage]:
    return fields.Enum(
        ModelStage,
        by_value=True,
        metadata={
            "description": "where the version stands; of a name one is in `production`, and one that was is "
            "archived when another takes its place"
        },
        **options,
    )


class ModelRequestSchema(Schema):
    """A run that is to be registered."""

    run_id = fields.String(required=True, metadata={"description": "a completed run that was exported"})
    name = name_field("the name whose next version it is, within the run's project", required=True)
    stage = stage_field(load_default=ModelStage.CANDIDATE)
    notes = notes_field()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ModelRequest:
        """The request as its use case takes it."""
        return ModelRequest(**data)


class ModelChangeSchema(Schema):
    """What is to be changed of a model."""

    stage = stage_field()
    notes = notes_field()


class ModelListQuery(PageQuery):
    """Filters, all of which a model must meet."""

    name = name_field("versions of this name")
    stage = DelimitedList(
        fields.String(validate=validate.OneOf(STAGES)),
        validate=validate.Length(min=1, max=len(STAGES)),
        metadata={"description": "one of these, separated by commas"},
    )
    run_id = fields.String(metadata={"description": "made of this run"})
    dataset_id = fields.String(metadata={"description": "trained on this data set"})

    @post_load
    def as_query(self, data: dict[str, Any], **_: Any) -> ModelQuery:
        """The query as its use case takes it."""
        return ModelQuery(stages=tuple(data.pop("stage", ())), **data)


class ModelClassSchema(Schema):
    """A class that the model tells."""

    index = fields.Integer(metadata={"description": "its value in class maps; its bit in multilabel ones"})
    name = fields.String()
    color = fields.List(fields.Integer(), metadata={"description": "red, green, blue; 0 to 255"})


class ModelFileSchema(Schema):
    """A file of the model."""

    name = fields.String()
    precision = fields.String(allow_none=True, metadata={"description": "fp32, fp16 or int8; null: the card"})
    bytes = fields.Integer()
    sha256 = fields.String()
    url = fields.String()


class TrainedModelSchema(Schema):
    """A version of a trained model, and what it was made of, which stays when that is deleted."""

    id = fields.String()
    project = fields.String(allow_none=True)
    name = fields.String(allow_none=True)
    version = fields.Integer(allow_none=True, metadata={"description": "from 1, within its name"})
    stage = fields.String(metadata={"enum": [*STAGES, UNREADABLE]})
    unreadable = fields.String(
        allow_none=True,
        metadata={"description": "why the record cannot be read; all that is not known of it is null then"},
    )
    revision = fields.Integer(allow_none=True)
    created_at = instant_field("when it was registered")
    created_by = fields.String(allow_none=True, metadata={"description": "id of a key, or another name"})
    notes = fields.String(allow_none=True)
    run_id = fields.String(allow_none=True)
    run_name = fields.String(allow_none=True)
    dataset_id = fields.String(allow_none=True)
    dataset_name = fields.String(allow_none=True)
    dataset_version = fields.Integer(allow_none=True)
    content_hash = fields.String(allow_none=True, metadata={"description": "of the data it was trained on"})
    task = fields.String(allow_none=True)
    architecture = fields.String(allow_none=True)
    encoder = fields.String(allow_none=True)
    epoch = fields.Integer(allow_none=True, metadata={"description": "whose weights it has"})
    image_size = fields.Integer(allow_none=True, metadata={"description": "pixels a side, in training"})
    classes = fields.List(fields.Nested(ModelClassSchema), allow_none=True)
    metrics = fields.Dict(allow_none=True, metadata={"description": "by split, from the export's card"})
    files = fields.List(fields.Nested(ModelFileSchema), allow_none=True)

    @pre_dump
    def shown(self, found: TrainedModel | UnreadableRecord, **_: Any) -> dict[str, Any]:
        """The record with its stage, and where its files are; of one that cannot be read, what is known."""
        if isinstance(found, UnreadableRecord):
            nothing: dict[str, Any] = dict.fromkeys(self.fields)
            known = {"id": found.id, "project": found.project, "name": found.name}
            return {**nothing, **known, "stage": UNREADABLE, "unreadable": found.problem}
        files = [{**vars(one), "url": file_url(found.id, one.name)} for one in found.files]
        return {**vars(found), "stage": found.status.value, "unreadable": None, "files": files}


def file_url(model_id: str, name: str) -> str:
    """Where a model's file is downloaded."""
    return f"{PREFIX}/{model_id}/files/{quote(name)}"

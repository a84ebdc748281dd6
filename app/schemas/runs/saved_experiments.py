"""Experiments that are saved in a project, as clients save and see them."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_dump, validate, validates_schema

from app.schemas.fields import instant_field, name_field, notes_field
from app.schemas.runs.spec import PartialSpecSchema
from app.service.runs.saved_experiments import ExperimentRequest
from trainyard.library.saved_experiment import SavedExperiment
from trainyard.store.codec import UnreadableRecord

PREFIX = "/api/v1/saved-experiments"
EXAMPLE = {
    "name": "long and careful",
    "project": "lab",
    "experiment": "demo",
    "spec": {"epochs": 100, "optimization": {"learning_rate": 0.0003}},
}


class SavedExperimentRequestSchema(Schema):
    """Settings that are to be saved."""

    name = name_field("by which runs name it as `experiment`; unique in its project", required=True)
    project = name_field("project it belongs to", load_default="default")
    notes = notes_field()
    spec = fields.Nested(
        PartialSpecSchema, metadata={"description": "a part of a spec; the rest is left to the defaults"}
    )
    experiment = fields.String(
        validate=validate.Length(max=100),
        metadata={"description": "an experiment, ready or saved, over which `spec` is laid"},
    )
    run_id = fields.String(
        validate=validate.Length(max=100),
        metadata={"description": "a run over whose settings `spec` is laid"},
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ExperimentRequest:
        """The request as its use case takes it."""
        return ExperimentRequest(**data)


class SavedExperimentChangeSchema(Schema):
    """What may be changed; `spec` is replaced whole."""

    notes = notes_field()
    spec = fields.Nested(PartialSpecSchema)

    @validates_schema
    def not_empty(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a change of nothing."""
        if not data:
            raise ValidationError(f"Give at least one of: {', '.join(sorted(self.fields))}.")


class SavedExperimentSchema(Schema):
    """Settings that are saved under a name."""

    id = fields.String()
    project = fields.String(allow_none=True)
    name = fields.String(allow_none=True)
    notes = fields.String(allow_none=True)
    revision = fields.Integer(allow_none=True)
    created_at = instant_field("when it was saved first")
    created_by = fields.String(allow_none=True, metadata={"description": "id of a key, or another name"})
    changed_at = instant_field("when it was changed last")
    run_id = fields.String(allow_none=True, metadata={"description": "the run whose settings they were"})
    spec = fields.Dict(
        allow_none=True,
        attribute="settings",
        metadata={"description": "the part of a spec that it says, laid over the defaults"},
    )
    unreadable = fields.String(
        allow_none=True,
        metadata={"description": "why the record cannot be read; all that is not known of it is null then"},
    )

    @pre_dump
    def shown(self, found: SavedExperiment | UnreadableRecord, **_: Any) -> dict[str, Any]:
        """The record; of one that cannot be read, what is known."""
        if isinstance(found, UnreadableRecord):
            nothing: dict[str, Any] = dict.fromkeys([*self.fields, "settings"])
            known = {"id": found.id, "project": found.project, "name": found.name}
            return {**nothing, **known, "unreadable": found.problem}
        return {**vars(found), "unreadable": None}

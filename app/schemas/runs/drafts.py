"""Drafts as clients save and see them."""

from copy import deepcopy
from typing import Any

from marshmallow import Schema, fields, pre_dump

from app.schemas.fields import instant_field
from app.schemas.runs.runs import RunRequestSchema
from trainyard.library.draft import Draft
from trainyard.store.codec import UnreadableRecord

PREFIX = "/api/v1/drafts"
EXAMPLE = {"name": "a longer try", "experiment": "demo", "spec": {"epochs": 100}}


class DraftRequestSchema(RunRequestSchema):
    """What is known of a run that is to be submitted later; nothing is required."""

    dataset_id = fields.String(metadata={"description": "id of a data set, which need not be ready yet"})


def _removable(field: fields.Field[Any]) -> fields.Field[Any]:
    copied = deepcopy(field)
    copied.allow_none = True
    return copied


DraftChangeSchema = Schema.from_dict(
    {name: _removable(one) for name, one in DraftRequestSchema._declared_fields.items()},
    name="DraftChangeSchema",
)
"""What is to be replaced; null leaves it out from now on. `spec` is replaced whole."""


class DraftSchema(Schema):
    """A draft: what its run would be asked for with."""

    id = fields.String()
    project = fields.String(allow_none=True)
    revision = fields.Integer(allow_none=True)
    created_at = instant_field("when it was saved first")
    created_by = fields.String(allow_none=True, metadata={"description": "id of a key, or another name"})
    changed_at = instant_field("when it was changed last")
    request = fields.Dict(
        allow_none=True, metadata={"description": "what POST /runs would be sent, as far as it is known"}
    )
    unreadable = fields.String(
        allow_none=True,
        metadata={"description": "why the record cannot be read; all that is not known of it is null then"},
    )

    @pre_dump
    def shown(self, found: Draft | UnreadableRecord, **_: Any) -> dict[str, Any]:
        """The record; of one that cannot be read, what is known."""
        if isinstance(found, UnreadableRecord):
            nothing: dict[str, Any] = dict.fromkeys(self.fields)
            return {**nothing, "id": found.id, "project": found.project, "unreadable": found.problem}
        return {**vars(found), "unreadable": None}

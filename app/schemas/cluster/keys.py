"""Access keys as admins make and see them."""

from typing import Any

from marshmallow import Schema, fields, pre_dump, validate

from app.schemas.fields import instant_field, name_field
from app.schemas.runs.run_query import instant_argument
from trainyard.access import Role
from trainyard.registry.access_keys import ListedKey

MAX_PROJECTS = 100


class KeyRequestSchema(Schema):
    """A key that is to be made."""

    name = name_field("whose it is, or what for", required=True)
    role = fields.Enum(
        Role,
        by_value=True,
        required=True,
        metadata={
            "description": "viewer reads; trainer also changes runs and data sets; admin also keys and limits"
        },
    )
    projects = fields.List(
        name_field("a project"),
        load_default=[],
        validate=validate.Length(max=MAX_PROJECTS),
        metadata={"description": "those in which it may change anything; empty: all. It reads everything"},
    )
    expires_at = instant_argument("when it ends by itself; it does not where this is left out")


class KeySchema(Schema):
    """A key as it is kept."""

    id = fields.String()
    name = fields.String()
    role = fields.Enum(Role, by_value=True)
    projects = fields.List(fields.String())
    created_at = instant_field("when it was made")
    created_by = fields.String(metadata={"description": "id of the key that made it, or another name"})
    expires_at = instant_field("when it ends by itself; null: never")
    revoked_at = instant_field("since when it is accepted no more; null where it is")
    last_used_at = instant_field(
        "to the minute; null where it has not been used, or not since Redis was emptied"
    )

    @pre_dump
    def flatten(self, found: ListedKey, **_: Any) -> dict[str, Any]:
        """The key's fields and its last use beside them."""
        return {**vars(found.key), "last_used_at": found.last_used_at}


class MadeKeySchema(KeySchema):
    """A key that has just been made, with what clients send."""

    key = fields.String(metadata={"description": "shown this once; kept only as its hash"})

    @pre_dump
    def flatten(self, found: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The key's fields and its text beside them."""
        return {**vars(found["made"]), "last_used_at": None, "key": found["key"]}


class KeysSchema(Schema):
    """Every key, oldest first."""

    items = fields.List(fields.Nested(KeySchema))

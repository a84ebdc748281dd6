"""Boards as clients ask for and see them."""

from typing import Any

from marshmallow import Schema, fields, post_dump, validate

from app.schemas.fields import instant_field
from app.service.run_outputs.boards import MOST_RUNS
from trainyard.library.board import BoardStatus

PREFIX = "/api/v1/boards"
EXAMPLE = {"runs": ["run-0123456789ab"]}


def board_url(board_id: str) -> str:
    """Where a browser looks at it, below the server's root."""
    return f"/boards/{board_id}/"


class BoardRequestSchema(Schema):
    """What a board is to show."""

    runs = fields.List(
        fields.String(),
        required=True,
        validate=validate.Length(min=1, max=MOST_RUNS),
        metadata={"description": "ids of runs"},
    )


class BoardSchema(Schema):
    """A board."""

    id = fields.String()
    runs = fields.List(fields.String(), attribute="run_ids")
    status = fields.Enum(BoardStatus, by_value=True)
    problem = fields.String(allow_none=True, metadata={"description": "why it failed"})
    created_at = instant_field("when it was asked for")
    created_by = fields.String(metadata={"description": "id of a key, or another name"})
    url = fields.String(metadata={"description": "where a browser looks at it"})

    @post_dump
    def with_url(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Its address is the server's own; that of its process is nobody's business."""
        return {**data, "url": board_url(data["id"])}


class BoardListSchema(Schema):
    """All boards."""

    items = fields.List(fields.Nested(BoardSchema))

"""Projects as clients send and see them."""

from marshmallow import Schema, fields, validate

from app.schemas.fields import instant_field, name_field

MAX_CONCURRENT = 10_000
DESCRIPTION_LENGTH = 2000
_PURPOSE = "what the project is for"


class ProjectQuery(Schema):
    """Which page of the list is wanted."""

    cursor = name_field("next_cursor of the page before: the last name on it")
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=200))


class DescribedProjectSchema(Schema):
    """What is said of a project."""

    description = fields.String(
        required=True, validate=validate.Length(max=DESCRIPTION_LENGTH), metadata={"description": _PURPOSE}
    )


class NewProjectSchema(Schema):
    """A project that is made before it has any record."""

    name = name_field("its name", required=True)
    description = fields.String(
        load_default="",
        validate=validate.Length(max=DESCRIPTION_LENGTH),
        metadata={"description": _PURPOSE},
    )


class ProjectLimitSchema(Schema):
    """How many runs of a project may train at once."""

    max_concurrent = fields.Integer(
        required=True,
        allow_none=True,
        strict=True,
        validate=validate.Range(min=1, max=MAX_CONCURRENT),
        metadata={"description": "null: the cluster's default, TRAINYARD_MAX_CONCURRENT"},
    )


class ProjectSchema(ProjectLimitSchema):
    """A project."""

    name = fields.String()
    description = fields.String()
    created_at = instant_field("when somebody described it first; null where nobody has")
    runs = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={"description": "how many runs it has, by their status, without statuses that none has"},
    )
    datasets = fields.Integer(metadata={"description": "how many data sets it has"})
    newest_at = instant_field("when its newest run or data set was made; null without any")
    effective = fields.Integer(
        allow_none=True, metadata={"description": "the limit in force; null where there is none"}
    )

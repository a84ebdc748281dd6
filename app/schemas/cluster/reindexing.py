"""What a comparison of Redis with storage came to, as admins see it."""

from marshmallow import Schema, fields


class ReindexedSchema(Schema):
    """What was done with the records of storage and those of Redis."""

    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata={
            "description": "records that were `restored` to Redis, `written` to storage, the `same` in both, "
            "`removed` as they had been before, or `requeued`: they waited and were in no queue"
        },
    )
    problems = fields.List(
        fields.String(), metadata={"description": "folders that were left alone, and why; a line each"}
    )

"""What a run's metrics have come to, as its record and its list items show it."""

from marshmallow import fields
from marshmallow_dataclass import class_schema

from trainyard.runs.record import MetricSummary


class MetricSummarySchema(class_schema(MetricSummary)):  # type: ignore[misc]
    """The best and the newest value of a metric, each with its epoch."""


def metrics_field() -> fields.Dict:
    """By the names of monitored metrics."""
    return fields.Dict(
        keys=fields.String(),
        values=fields.Nested(MetricSummarySchema),
        metadata={
            "description": "best and newest value of each metric that may be monitored, with its epoch"
        },
    )


def row_field(help: str) -> fields.Dict:
    """One row of metrics."""
    return fields.Dict(
        allow_none=True,
        metadata={"description": f"{help}, with `epoch` and `step`, without those of single classes"},
    )

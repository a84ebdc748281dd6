"""Several runs beside each other, as clients ask for and see them."""

from typing import Any

from marshmallow import Schema, fields, validate
from webargs.fields import DelimitedList

from app.schemas.runs.metric_fields import MetricSummarySchema
from app.schemas.runs.run_list import RunItemSchema, run_item
from app.service.runs.comparison import Comparison

MAX_COMPARED = 50


def run_ids_argument(most: int, **options: Any) -> DelimitedList:
    """Ids of runs, separated by commas."""
    return DelimitedList(
        fields.String(validate=validate.Length(min=1, max=100)),
        validate=validate.Length(min=1, max=most),
        metadata={"description": "ids of runs, separated by commas"},
        **options,
    )


class ComparisonQuery(Schema):
    """Which runs are compared."""

    ids = run_ids_argument(MAX_COMPARED, required=True)


class SettingSchema(Schema):
    """A setting that is not the same in all runs."""

    name = fields.String(
        metadata={"description": "such as `spec.optimization.learning_rate` or `dataset_id`"}
    )
    values = fields.List(
        fields.Raw(allow_none=True), metadata={"description": "of each run, in the order of `runs`"}
    )


class MetricComparisonSchema(Schema):
    """A metric that some of the runs have."""

    name = fields.String()
    direction = fields.String(
        validate=validate.OneOf(["max", "min"]), metadata={"description": "what is better"}
    )
    summaries = fields.List(
        fields.Nested(MetricSummarySchema, allow_none=True),
        metadata={"description": "of each run, in the order of `runs`; null where it has none"},
    )
    best_run = fields.String(metadata={"description": "id of the run with the best value"})


class ComparisonSchema(Schema):
    """Runs beside each other, in the order asked for."""

    runs = fields.List(fields.Nested(RunItemSchema))
    settings = fields.List(
        fields.Nested(SettingSchema), metadata={"description": "those that differ, and no others"}
    )
    metrics = fields.List(fields.Nested(MetricComparisonSchema))


def comparison_data(found: Comparison) -> dict[str, Any]:
    """The comparison as JSON data, as the schema above says."""
    return {
        "runs": [run_item(run) for run in found.runs],
        "settings": [vars(one) for one in found.settings],
        "metrics": [
            {**vars(one), "summaries": [summary and vars(summary) for summary in one.summaries]}
            for one in found.metrics
        ],
    }

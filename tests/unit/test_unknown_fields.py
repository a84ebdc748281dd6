"""A field that does not exist is answered with the one that was probably meant, wherever it stands."""

from collections.abc import Callable
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields

from trainyard.errors import InvalidRequest
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.unknown_fields import with_names


class Part(Schema):
    batch_size = fields.Integer()
    image_size = fields.Integer()
    content_hash = fields.String(dump_only=True)


class Whole(Schema):
    part = fields.Nested(Part)
    parts = fields.List(fields.Nested(Part))
    many = fields.Nested(Part, many=True)
    called = fields.Integer(data_key="Called")
    nothing = fields.Nested(Schema)


BOTH = "Unknown field. There are: batch_size, image_size."
BATCH = "Unknown field. Did you mean batch_size?"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"part": {"batchsize": 1}}, {"part": {"batchsize": [BATCH]}}),
        ({"parts": [{}, {"batchSize": 1}]}, {"parts": {1: {"batchSize": [BATCH]}}}),
        ({"many": [{"batch": 1}]}, {"many": {0: {"batch": [BATCH]}}}),
        ({"part": {"colour": 1}}, {"part": {"colour": [BOTH]}}),
        ({"part": {"content_hash": ""}}, {"part": {"content_hash": [BOTH]}}),
        ({"called": 1}, {"called": ["Unknown field. Did you mean Called?"]}),
        ({"nothing": {"a": 1}}, {"nothing": {"a": ["Unknown field. There are none."]}}),
        ({"part": {"batch_size": "x"}, "Called": None},
         {"part": {"batch_size": ["Not a valid integer."]}, "Called": ["Field may not be null."]}),
        ({"part": 3}, {"part": {"_schema": ["Invalid input type."]}}),
        ({"parts": 3}, {"parts": ["Not a valid list."]}),
    ],
)  # fmt: skip
def test_the_field_that_was_meant_is_named(sent: Any, said: Any):
    with pytest.raises(ValidationError) as refused:
        Whole().load(sent)
    assert with_names(Whole(), refused.value.messages_dict) == said


EXPERIMENTS = Experiments(CONFIGS)


@pytest.mark.parametrize(
    "refusing",
    [
        lambda wrong: EXPERIMENTS.compose(wrong, "demo"),
        lambda wrong: EXPERIMENTS.vary(EXPERIMENTS.compose({}, "demo"), wrong),
    ],
)
def test_a_spec_is_answered_so_whether_it_is_new_or_varied(refusing: Callable[[Any], Any]):
    with pytest.raises(InvalidRequest) as refused:
        refusing({"data": {"batchsize": 4}, "optimization": {"lr": 0.1}})
    errors = refused.value.errors["spec"]
    assert errors["data"] == {"batchsize": [BATCH]}
    (told,) = errors["optimization"]["lr"]
    assert "learning_rate" in told

"""JSON that is a list is read element by element, as the whole would be."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ingest.formats.junk import DRAWN, JUNK
from workers.ingest.formats.typed_json import parse_json_list
from workers.ingest.problems import Refused


@DRAWN
@given(st.lists(JUNK, max_size=5), st.sampled_from([None, 0, 2]), st.sampled_from(["", "\ufeff", " \n"]))
def test_elements_are_those_of_the_whole(elements: list[object], indent: int | None, before: str) -> None:
    text = json.dumps(elements, indent=indent)
    read = list(parse_json_list((before + text + before.strip("\ufeff")).encode()))
    assert json.dumps(read) == json.dumps(json.loads(text))


@pytest.mark.parametrize("text", ["", "{}", "[1", "[1,", "[1,]", "[1 2]", "[,]", "[" * 100_000, "[\xff]"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        list(parse_json_list(text.encode("latin-1")))
    assert refusal.value.problem_code == "annotation_json"

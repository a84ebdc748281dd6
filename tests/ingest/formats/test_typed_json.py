"""JSON of one image is read within bounds."""

import pytest

from workers.ingest.problems import Refused
from workers.ingest.text import typed_json
from workers.ingest.text.typed_json import parse_json


@pytest.mark.parametrize("text", ["", "[1", "[1,]", "[1 2]", "[" * 100_000, "[\xff]"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_json(text.encode("latin-1"))
    assert refusal.value.problem_code == "annotation_json"


def test_more_bytes_than_may_be_held_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed_json, "MAX_JSON", 12)
    assert parse_json(b'["pictures"]') == ["pictures"]
    with pytest.raises(Refused, match="at most 12 are read") as refusal:
        parse_json(b'["a picture"]')
    assert refusal.value.problem_code == "annotation_too_large"


def test_more_values_than_may_be_held_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed_json, "MAX_VALUES", 5)
    assert parse_json(b"[1, [], {}]") == [1, [], {}]  # as many brackets and commas
    with pytest.raises(Refused, match="more than 5 lists") as refusal:
        parse_json(b"[1, [], {}, 2]")
    assert refusal.value.problem_code == "annotation_too_large"

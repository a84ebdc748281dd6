"""Records of JSON in pieces are those of the whole, and depth is counted across the borders of pieces."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.ingest.problems import Refused
from workers.ingest.text import json_stream
from workers.ingest.text.json_stream import MAX_DEPTH, elements, entries, records

TEXTS = st.text(alphabet='"\\[]{}ab\u00e9', max_size=6)
VALUES = st.recursive(
    TEXTS | st.integers(-9, 9) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


class Pieces(io.BytesIO):
    """A file that gives a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._size if size is None or size < 0 else min(size, self._size))


@settings(max_examples=100, deadline=None)
@given(st.lists(VALUES, max_size=5), VALUES, st.integers(1, 7), st.booleans())
def test_pieces_give_the_records_of_the_whole(wanted: list[Any], other: Any, size: int, plain: bool) -> None:
    text = json.dumps({"other": other, "wanted": wanted}, ensure_ascii=plain)
    assert list(records(Pieces(text.encode(), size), "wanted")) == wanted


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 1 << 16])
@pytest.mark.parametrize("noise", ["", "]]]]", '\\"]', "\\\\", "[[[["])
def test_depth_is_that_outside_of_texts(noise: str, size: int) -> None:
    def nested(depth: int) -> bytes:
        inner = f'"{noise}",' * 20 + "[" * depth + "]" * depth
        return f'{{"wanted": [{inner}, "{noise}"]}}'.encode()

    *_, found, _ = records(Pieces(nested(MAX_DEPTH - 2), size), "wanted")
    for _ in range(MAX_DEPTH - 3):
        (found,) = found  # type: ignore[misc]
    assert found == []
    with pytest.raises(Refused) as refusal:
        list(records(Pieces(nested(MAX_DEPTH - 1), size), "wanted"))
    assert refusal.value.problem_code == "json_deep"


@pytest.mark.parametrize("text", ["", "\ufeff", '{"wanted": [1', '{"wanted": [1\\', '{"wanted": [NaN]}'])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        list(records(io.BytesIO(text.encode()), "wanted"))
    assert refusal.value.problem_code == "json_broken"


def test_a_byte_order_mark_is_left_out() -> None:
    assert list(records(io.BytesIO('\ufeff{"wanted": [1, 2.5]}'.encode()), "wanted")) == [1, 2.5]


@settings(max_examples=50, deadline=None)
@given(st.lists(VALUES, max_size=5), st.integers(1, 7))
def test_a_list_and_an_object_are_read_entry_by_entry(wanted: list[Any], size: int) -> None:
    assert list(elements(Pieces(json.dumps(wanted).encode(), size))) == wanted
    named = {f"{index}.png": value for index, value in enumerate(wanted)}
    assert dict(entries(Pieces(json.dumps(named).encode(), size), "")) == named
    inner = json.dumps({"other": wanted, "wanted": named}).encode()
    assert dict(entries(Pieces(inner, size), "wanted")) == named


def test_one_entry_is_bounded_and_their_sum_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "MAX_RECORD", 100)
    small = json.dumps([[1] * 10] * 50).encode()
    assert len(list(elements(Pieces(small, 10)))) == 50
    with pytest.raises(Refused) as refusal:
        list(elements(Pieces(json.dumps([[1] * 50] * 2).encode(), 10)))
    assert refusal.value.problem_code == "annotation_too_large"

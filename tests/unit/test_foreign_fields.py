"""What other releases have put into records is kept, wherever it lies."""

from dataclasses import dataclass, field

from trainyard.store.foreign_fields import kept


@dataclass
class Part:
    name: str
    size: int = 0


@dataclass
class Whole:
    id: str
    part: Part | None = None
    parts: tuple[Part, ...] = ()
    by_name: dict[str, Part] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    free: dict[str, object] | None = None


def test_parts_keep_what_is_not_theirs():
    stored = {
        "id": "x", "new": 1,
        "part": {"name": "a", "size": 1, "new": 2},
        "parts": [{"name": "a", "new": 3}, {"name": "b", "new": 4}, {"name": "a", "new": 5}],
        "by_name": {"a": {"name": "a", "new": 6}, "gone": {"name": "g", "new": 7}},
        "words": ["one", "two"], "free": {"old": 1},
    }  # fmt: skip
    written = {
        "id": "x",
        "part": {"name": "a", "size": 2},
        "parts": [{"name": "b"}, {"name": "a"}, {"name": "c"}, {"name": "a"}],
        "by_name": {"a": {"name": "a"}, "b": {"name": "b"}},
        "words": ["three"], "free": {"other": 2},
    }  # fmt: skip
    assert kept(Whole, stored, written) == {
        "id": "x", "new": 1,
        "part": {"name": "a", "size": 2, "new": 2},
        "parts": [{"name": "b", "new": 4}, {"name": "a", "new": 3}, {"name": "c"}, {"name": "a", "new": 5}],
        "by_name": {"a": {"name": "a", "new": 6}, "b": {"name": "b"}},
        "words": ["three"], "free": {"other": 2},
    }  # fmt: skip


def test_what_has_another_form_there_is_what_is_written():
    written = {"id": "x", "part": {"name": "a"}, "parts": [{"name": "a"}], "words": [], "free": None}
    for stored in ({}, {"part": None, "parts": {"a": 1}, "words": "w"}, {"part": [1], "parts": [1, None]}):
        assert kept(Whole, stored, written) == written

"""events.jsonl, read forward."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from trainyard.event_log import EventLogReader, order


def write(path: Path, *ids: str, end: str = "\n") -> None:
    with path.open("a") as file:
        file.write("".join(f'{{"id": "{event_id}", "event": "notice"}}{end}' for event_id in ids))


def read(reader: EventLogReader, after: str, before: str | None = None) -> list[str]:
    return [event_id for event_id, _ in reader.between(after, before)]


def test_no_file_holds_no_events(tmp_path: Path):
    assert read(EventLogReader(tmp_path / "events.jsonl"), "0-0") == []


def test_bounds_are_left_out(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    write(path, "1-0", "2-0", "2-1", "10-0")
    assert read(EventLogReader(path), "1-0", "10-0") == ["2-0", "2-1"]
    assert read(EventLogReader(path), "2-0") == ["2-1", "10-0"]


def test_reading_goes_on(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    reader = EventLogReader(path)
    write(path, "1-0", "2-0", "3-0")
    assert read(reader, "0-0", "2-0") == ["1-0"]
    assert read(reader, "1-0") == ["2-0", "3-0"]
    write(path, "4-0", end="")
    assert read(reader, "3-0") == []
    with path.open("a") as file:
        file.write("\n")
    assert read(reader, "3-0") == ["4-0"]


def test_broken_lines_are_passed_over(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    write(path, "1-0")
    with path.open("a") as file:
        file.write('{"id": "2\n[]\n{"event": "x"}\n\n')
    write(path, "3-0")
    assert read(EventLogReader(path), "0-0") == ["1-0", "3-0"]


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))))
def test_ids_are_ordered_as_numbers(pairs: list[tuple[int, int]]):
    ids = [f"{ms}-{number}" for ms, number in pairs]
    assert [order(event_id) for event_id in sorted(ids, key=order)] == sorted(pairs)

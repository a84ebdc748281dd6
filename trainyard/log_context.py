"""What a process is busy with while it logs: the request, run, attempt, data set or worker of each line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_EMPTY: Mapping[str, str] = {}
_PRESENT: ContextVar[Mapping[str, str]] = ContextVar("log_context", default=_EMPTY)


def log_context() -> Mapping[str, str]:
    """What lines of the present thread are about."""
    return _PRESENT.get()


def set_log_context(**values: object) -> None:
    """Say what lines of this thread are about from now on; nothing, without values."""
    _PRESENT.set({name: str(value) for name, value in values.items()})


@contextmanager
def logging_about(**values: object) -> Iterator[None]:
    """Within the block lines of this thread are about this, too."""
    before = _PRESENT.get()
    _PRESENT.set({**before, **{name: str(value) for name, value in values.items()}})
    try:
        yield
    finally:
        _PRESENT.set(before)

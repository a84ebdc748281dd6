"""A request's turn at the interpreter, which it gives to others while it waits for somebody.

A server that lets few threads work at a time says how; without one nothing is given.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TypeAlias

Aside: TypeAlias = Callable[[], AbstractContextManager[None]]
_ASIDE: ContextVar[Aside] = ContextVar("aside", default=nullcontext)


def aside() -> AbstractContextManager[None]:
    """What this thread waits in, for a client or a worker, while others work."""
    return _ASIDE.get()()


@contextmanager
def with_turn(how: Aside) -> Iterator[None]:
    """While this thread works, `how` is what it waits in."""
    token = _ASIDE.set(how)
    try:
        yield
    finally:
        _ASIDE.reset(token)

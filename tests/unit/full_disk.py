"""A disk that is full: writes past some length are cut, then refused, as the kernel does it."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def room_for(length: int) -> Iterator[None]:
    """Within the block no file of this process grows beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

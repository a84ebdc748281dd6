"""One of the places for uploads, of which each holds a thread of the server."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Request

from app.composition import services
from app.http.requests.client import departure


@contextmanager
def upload_slot(request: Request) -> Iterator[None]:
    """Hold one while the block lasts; raises TooManyUploads."""
    slots = services().upload_slots
    slot = slots.take(departure(request))
    try:
        yield
    finally:
        slots.give_back(slot)

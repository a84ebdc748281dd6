"""The connection to Redis and the scripts that run in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from trainyard.errors import StoreUnavailable

SOCKET_TIMEOUT_S = 5.0
"""A call that has no answer by then counts as failed; nothing is resent behind the caller's back."""

Client = redis.Redis


def connect(url: str) -> Client:
    """A client for `url`; it connects at the first call."""
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=SOCKET_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn redis-py's errors into StoreUnavailable."""
    try:
        yield
    except redis.RedisError as error:
        raise StoreUnavailable(f"Redis did not do what was asked: {error}.") from error


def run_script(client: Client, name: str, *arguments: str | int | float) -> tuple[str, dict[str, str]]:
    """Run `lua/<name>.lua`; returns its outcome and its pairs. Raises StoreUnavailable."""
    with store_errors():
        outcome, flat = client.register_script(_source(name))(args=arguments)
    return outcome, dict(zip(flat[::2], flat[1::2], strict=True))


@cache
def _source(name: str) -> str:
    folder = Path(__file__).parent / "lua"
    return (folder / "prelude.lua").read_text() + (folder / f"{name}.lua").read_text()


def ping(client: Client) -> None:
    """Raise StoreUnavailable unless Redis answers."""
    with store_errors():
        client.ping()

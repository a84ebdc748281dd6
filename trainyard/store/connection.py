"""The connection to Redis and the scripts that run in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.exceptions import LockError
from redis.retry import Retry

from trainyard.errors import StoreUnavailable
from trainyard.store import keys

SOCKET_TIMEOUT_S = 5.0
"""A call that has no answer by then counts as failed; nothing is resent behind the caller's back."""

PROBE_MS = 1000

Client = redis.Redis


MOST_CONNECTIONS = 2000
"""Of one process, more than it has threads: each that asks has one. The driver would refuse the hundred and
first, as if Redis were away."""


def connect(url: str) -> Client:
    """A client for `url`; it connects at the first call."""
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=SOCKET_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        max_connections=MOST_CONNECTIONS,
    )


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn redis-py's errors into StoreUnavailable; the driver's own words, its cause, may name addresses."""
    try:
        yield
    except redis.RedisError as error:
        raise StoreUnavailable(_meaning(error)) from error


_MEANINGS: tuple[tuple[type[redis.RedisError], str], ...] = (
    (redis.AuthenticationError, "Redis does not accept the password that it is given"),
    (redis.BusyLoadingError, "Redis has started and is still loading its data"),
    (redis.TimeoutError, "Redis does not answer in time"),
    (redis.OutOfMemoryError, "Redis has no memory left and takes no writes"),
    (redis.ReadOnlyError, "Redis is read-only"),
    (redis.ConnectionError, "Redis cannot be reached"),
    (LockError, "Another process holds what is needed in Redis"),
)
"""By kind of error, the first that applies."""
_REFUSALS = {
    "OOM command not allowed": "Redis has no memory left and takes no writes",
    "READONLY": "Redis is read-only",
    "MISCONF": "Redis cannot write its data to disk and takes no writes",
}
"""By what Redis says where it refuses a write; of one within a script there is no kind of error."""


def _meaning(error: redis.RedisError) -> str:
    found = next((text for kind, text in _MEANINGS if isinstance(error, kind)), None)
    if found is None:
        found = next((text for said, text in _REFUSALS.items() if said in str(error)), None)
    return f"{found or 'Redis did not do what was asked; the log has its words'}."


def run_script(client: Client, name: str, *arguments: str | int | float) -> tuple[str, dict[str, str]]:
    """Run `lua/<name>.lua`; returns its outcome and its pairs. Raises StoreUnavailable."""
    with store_errors():
        outcome, flat = client.register_script(_source(name))(args=arguments)
    return outcome, dict(zip(flat[::2], flat[1::2], strict=True))


def run_together(client: Client, name: str, calls: Sequence[Sequence[str | int | float]]) -> list[str]:
    """Run `lua/<name>.lua` with each of the arguments, in one transaction: a Redis that writes to disk before
    it answers does so once for all of them. The outcomes; raises StoreUnavailable."""
    if not calls:
        return []
    with store_errors():
        pipeline = client.pipeline(transaction=True)
        script = client.register_script(_source(name))
        for arguments in calls:
            script(args=arguments, client=pipeline)
        return [str(outcome) for outcome, _ in pipeline.execute()]


@cache
def _source(name: str) -> str:
    """The script as Redis runs it: what all share, its own part, and what all end with."""
    folder = Path(__file__).parent / "lua"
    prelude, own = ((folder / f"{part}.lua").read_text() for part in ("prelude", name))
    constants = f"local LISTS_VERSION = {keys.LISTS_VERSION}"
    end = "local result = transition()\nupdate_lists()\nreturn result\n"
    return f"{constants}\n{prelude}\nlocal function transition()\n{own}\nend\n{end}"


def check_writes(client: Client) -> None:
    """Raise StoreUnavailable unless Redis takes a write."""
    with store_errors():
        client.set(keys.PROBE, 1, px=PROBE_MS)


def ping(client: Client) -> None:
    """Raise StoreUnavailable unless Redis answers."""
    with store_errors():
        client.ping()

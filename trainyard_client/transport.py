"""Requests to one server: time-outs, repeated tries where they are safe, errors as exceptions."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from trainyard_client.errors import (
    GatewayTrouble,
    ServerBusy,
    ServerUnreachable,
    TooManyRequests,
    error_of,
)

CONNECT_S = 5.0
ANSWER_S = 60.0
"""Silence after which an answer is given up; of a long upload or download each piece counts anew."""
TRIES = 5
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
_SAFE = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}
KEY_HEADER = "Idempotency-Key"


class Transport:
    """Sends requests of the API to a server.

    A call is tried again where the server cannot have done it twice: one that is idempotent by its method,
    one with an Idempotency-Key, and one that the caller calls repeatable.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        tries: int = TRIES,
        answer_s: float = ANSWER_S,
        sleep: Callable[[float], None] = time.sleep,
        handler: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        timeout = httpx.Timeout(answer_s, connect=CONNECT_S)
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout, transport=handler)
        self._tries = max(1, tries)
        self._sleep = sleep

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def json(self, method: str, path: str, *, repeatable: bool = False, **arguments: Any) -> Any:
        """The JSON that the server answers, None for an empty answer; raises TrainyardError."""
        response = self.request(method, path, repeatable=repeatable, **arguments)
        return response.json() if response.content else None

    def request(
        self, method: str, path: str, *, repeatable: bool = False, **arguments: Any
    ) -> httpx.Response:
        """The whole answer; raises TrainyardError for one that is an error."""
        may_repeat = repeatable or method in _SAFE or KEY_HEADER in arguments.get("headers", {})
        response: httpx.Response = self.repeated(lambda: self.once(method, path, **arguments), may_repeat)
        return response

    def once(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """The whole answer to one try; raises TrainyardError for an error, httpx.TransportError for none."""
        response = self._http.request(method, path, **arguments)
        _check(response)
        return response

    @contextmanager
    def stream(
        self, path: str, headers: Mapping[str, str], quiet_s: float | None = None
    ) -> Iterator[httpx.Response]:
        """An answer whose body is read piece by piece; its reader knows where to go on after a break.

        `quiet_s` is how long it may be silent. Raises TrainyardError for an error, httpx.TransportError when
        the line breaks.
        """
        timeout = httpx.Timeout(quiet_s, connect=CONNECT_S) if quiet_s else httpx.USE_CLIENT_DEFAULT
        with self._http.stream("GET", path, headers=dict(headers), timeout=timeout) as response:
            if response.is_error:
                response.read()
                _check(response)
            yield response

    def repeated(self, send: Callable[[], Any], may_repeat: bool = True) -> Any:
        """What `send` returns, tried again after pauses while the line breaks or the server is busy."""
        for tried in range(1, self._tries + 1):
            last = tried == self._tries or not may_repeat
            try:
                return send()
            except httpx.TransportError as error:
                if last:
                    raise unreachable(self.url, error) from error
                pause = pause_before(tried)
            except (ServerBusy, TooManyRequests, GatewayTrouble) as error:
                if last:
                    raise
                pause = max(pause_before(tried), error.retry_after_s)
            self._sleep(pause)
        raise AssertionError("the last try returns or raises")

    def pause(self, seconds: float) -> None:
        """Wait before another try."""
        self._sleep(seconds)


def pause_before(tried: int) -> float:
    """Seconds before another try: doubled each time, and spread, so that clients do not come together."""
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * float(2 ** (tried - 1)))
    return random.uniform(longest / 2, longest)  # noqa: S311 - no secret depends on it


def unreachable(url: str, error: Exception) -> ServerUnreachable:
    """The error for a line that cannot be made or broke, with what the system said."""
    return ServerUnreachable(f"{url} gives no answer: {error or type(error).__name__}.")


def _check(response: httpx.Response) -> None:
    if not response.is_error:
        return
    try:
        body = response.json()
    except ValueError:
        body = None  # a proxy's page
    wait = _seconds(response.headers.get("Retry-After"))
    raise error_of(response.status_code, body, response.headers.get("X-Request-ID"), wait)


def _seconds(text: str | None) -> float:
    return min(float(text), 60.0) if text and text.isdigit() else 0.0

"""What scripts leave in Redis: each step of a story, its answer, and each line of the store it changes."""

import difflib
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from trainyard.store import connection

Step = tuple[float, tuple[str, ...]]
"""How many seconds after the one before it, and a script with its arguments, or a command in capitals."""
BEGINS_S = 1_800_000_000
_STREAM_ID = re.compile(r"\b\d{13}-\d+\b")


class Clock:
    """The time of the scripts, instead of the server's: it stands still unless a step moves it."""

    def __init__(self) -> None:
        self.us = BEGINS_S * 1_000_000 + 250_000

    def timed(self, source: Callable[[str], str]) -> Callable[[str], str]:
        """Scripts as they are, but for where they have the time from."""
        return lambda name: source(name).replace("redis.call('TIME')", self._answer())

    def _answer(self) -> str:
        return f"{{'{self.us // 1_000_000}', '{self.us % 1_000_000}'}}"


def told(client: connection.Client, clock: Clock, steps: Iterable[Step]) -> str:
    """The story as text; the store is empty when it begins."""
    lines: list[str] = []
    before: list[str] = []
    for seconds, words in steps:
        clock.us += round(seconds * 1_000_000)
        outcome, pairs = _answer(client, words)
        held = _held(client)
        whole = min((key for key, (_, value) in held.items() if pairs and value == pairs), default=None)
        texts = ", ".join(f"{key}={value}" for key, value in sorted(pairs.items()))
        lines += [f"== {' '.join(words)}", f"   -> {outcome}: {f'all of {whole}' if whole else texts}"]
        after = [line for key in sorted(held) for line in _lines(key, *held[key])]
        lines += [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
        before = after
    return _named(client, "\n".join(lines) + "\n")


def _answer(client: connection.Client, words: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    if words[0].isupper():
        client.execute_command(*words)
        return "done", {}
    return connection.run_script(client, *words)


def _held(client: connection.Client) -> dict[str, tuple[int, Any]]:
    """All that the store holds: for how many ms each key is kept (below 0: for ever), and what it is."""
    keys = [str(key) for key in client.keys("*")]
    asked = client.pipeline(transaction=False)
    for key in keys:
        asked.type(key).pttl(key)
    answers = asked.execute()
    for key, kind in zip(keys, answers[::2], strict=True):
        _read(asked, key, kind)
    return dict(zip(keys, zip(answers[1::2], asked.execute(), strict=True), strict=True))


def _read(asked: Any, key: str, kind: str) -> None:
    match kind:
        case "hash":
            asked.hgetall(key)
        case "set":
            asked.smembers(key)
        case "zset":
            asked.zrange(key, 0, -1, withscores=True)
        case "stream":
            asked.xrange(key)
        case _:
            asked.get(key)


def _lines(key: str, kept_ms: int, value: Any) -> list[str]:
    """A line for each value."""
    if isinstance(value, dict):
        found = [f"{key} {field} = {_plain(text)}" for field, text in sorted(value.items())]
    elif isinstance(value, set):
        found = [f"{key} has {member}" for member in sorted(value)]
    elif isinstance(value, list):
        found = [f"{key} {member} = {_scored(told)}" for member, told in value]
    else:
        found = [f"{key} = {_plain(value)}"]
    return [*found, f"{key} is kept for {round(kept_ms / 60_000)} minutes"] if kept_ms > 0 else found


def _scored(told: Any) -> str:
    """What a stream or an index has of a member: an event, or a score as text that gives the same double."""
    return json.dumps(told, sort_keys=True) if isinstance(told, dict) else f"{told:.17g}"


def _plain(text: str) -> str:
    """JSON with its keys in order, and lists of texts too, for Lua's tables have none."""
    if text[:1] not in "[{":
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = sorted(value)
    return json.dumps(value, sort_keys=True)


def _named(client: connection.Client, text: str) -> str:
    """Without what is another one at each run: ids that the server makes for itself and for events. Those of
    two streams are equal where both events came within a millisecond, so they are not told apart."""
    text = text.replace(client.info("server")["run_id"], "<this server>")
    return _STREAM_ID.sub("<event>", text)

"""What is quick about a run: signals, progress and the event stream."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal, cast

from trainyard.runs import events
from trainyard.runs.signals import Signals
from trainyard.store import keys
from trainyard.store.connection import Client, run_script, store_errors

STREAM_LENGTH = 20_000
"""Events kept in Redis per run; the lasting ones are in events.jsonl as well."""
STREAM_TTL_S = 7 * 24 * 3600
"""How long the stream of an ended run stays in Redis."""


LastKept = Callable[[], str]
"""Tells the id of a run's newest event in storage, `0-0` for none: asked where Redis has no stream of it."""


class LiveStore:
    """Signals down to a run, progress and events up from it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def stop(self, run_id: str, when: str) -> tuple[str, dict[str, str]]:
        """See stop.lua: outcome and the record's hash."""
        return run_script(self._client, "stop", run_id, when)

    def retarget(self, run_id: str, epochs: int) -> tuple[str, dict[str, str]]:
        """See retarget.lua: outcome and the record's hash."""
        return run_script(self._client, "retarget", run_id, epochs)

    def move_to_front(self, run_id: str) -> tuple[str, dict[str, str]]:
        """See move_to_front.lua: outcome and the record's hash."""
        return run_script(self._client, "move_to_front", run_id)

    def move_beside(self, run_id: str, other: str, step: Literal[-1, 1]) -> tuple[str, dict[str, str]]:
        """See beside.lua: outcome and the record's hash."""
        return run_script(self._client, "beside", run_id, other, step)

    def signals(self, run_id: str) -> Signals:
        """What is wished of the run at present."""
        with store_errors():
            return parse_signals(cast("dict[str, str]", self._client.hgetall(keys.signals(run_id))))

    def progress(self, run_id: str) -> dict[str, Any] | None:
        """The latest progress event as JSON data."""
        return self.progresses([run_id])[0]

    def progresses(self, run_ids: list[str]) -> list[dict[str, Any] | None]:
        """The latest progress event of each run."""
        if not run_ids:
            return []
        with store_errors():
            texts = cast("list[str | None]", self._client.mget([keys.progress(one) for one in run_ids]))
        return [json.loads(text) if text else None for text in texts]

    def append(self, run_id: str, event: events.Event, last_kept: LastKept) -> str:
        """Add an event to the stream; returns its id, `<ms>-<n>`, which is later than that of any before."""
        return str(self._added("append", (run_id,), event, last_kept))

    def tell(
        self, run_id: str, fence: int, owner: str, event: events.Event, last_kept: LastKept
    ) -> str | None:
        """As `append`, for the holder of the run; None for anybody else."""
        return self._added("tell", (run_id, fence, owner), event, last_kept)

    def _added(
        self, script: str, who: tuple[str | int, ...], event: events.Event, last_kept: LastKept
    ) -> str | None:
        arguments = (*who, STREAM_LENGTH, event.name, json.dumps(events.to_dict(event)))
        outcome, answer = run_script(self._client, script, *arguments, "")
        if outcome == "begins":
            _, answer = run_script(self._client, script, *arguments, last_kept())
        return answer.get("event_id")

    def read(
        self, run_id: str, after: str, wait_ms: int, count: int = 500
    ) -> list[tuple[str, dict[str, Any]]]:
        """Events later than the id `after` (`0` for all), waiting up to `wait_ms` for the first one."""
        with store_errors():
            answer = self._client.xread({keys.events(run_id): after}, count=count, block=wait_ms)
        return list(_entries(answer))

    def first_id(self, run_id: str) -> str | None:
        """The id of the oldest event that the stream still holds; None where there is no stream."""
        with store_errors():
            answer = cast("list[tuple[str, Any]]", self._client.xrange(keys.events(run_id), count=1))
        return str(answer[0][0]) if answer else None

    def expire(self, run_id: str) -> None:
        """Let the stream of an ended run go after a while."""
        with store_errors():
            self._client.expire(keys.events(run_id), STREAM_TTL_S)


def parse_signals(found: dict[str, str]) -> Signals:
    """Signals out of their hash."""
    return Signals(
        stop=found.get("stop"),  # type: ignore[arg-type]
        stop_version=int(found.get("stop_version", 0)),
        epochs=int(found["epochs"]) if "epochs" in found else None,
        epochs_version=int(found.get("epochs_version", 0)),
        cancel="cancel" in found,
    )


def _entries(answer: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    streams = answer.values() if isinstance(answer, dict) else (entries for _, entries in answer or [])
    for entries in streams:
        for entry_id, fields in entries:
            yield entry_id, json.loads(fields["data"])

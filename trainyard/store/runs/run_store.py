"""What happens to runs only: they are trained, and a client cancels, resumes, retries or removes one."""

from collections.abc import Iterable, Mapping
from typing import Any

from trainyard.runs.record import Run, RunStatus
from trainyard.store import keys
from trainyard.store.codec import SPEC
from trainyard.store.connection import Client, run_script, run_together, store_errors
from trainyard.store.records import REMEMBERED_S, Life, RecordStore
from trainyard.store.runs.run_lists import listed_fields

RUN_LIFE = Life(waiting=RunStatus.QUEUED, working=RunStatus.RUNNING, failed=RunStatus.FAILED)
FINISHING_LIFE = Life(waiting=RunStatus.FINISHING, working=RunStatus.FINISHING, failed=RunStatus.FAILED)
"""Of runs that are trained and owe their results: it is their owner that tells whether they wait."""
FINISH_QUEUE = "finish"
"""The queue in which they wait."""
DATASET_QUEUE = "dataset"
"""The queue of runs that wait for their data set, of which nobody claims anything."""


class RunStore(RecordStore[Run]):
    """All runs. Every method answers with the outcome, and with the record as it now stands."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, "run", Run)

    def adopt(self, run: Run) -> tuple[bool, Run]:
        """Keep a run that was trained elsewhere: whether it is new, and the record; see keep.lua."""
        pairs = self._pairs(self.codec.to_json(run))
        outcome, found = run_script(self.client, "keep", self.kind, run.id, run.status, *pairs)
        return outcome == "created", self.codec.from_hash(found)

    def hand_over(
        self, run_id: str, fence: int, owner: str, target: int, values: Mapping[str, Any]
    ) -> Run | None:
        """See hand_over.lua; None when the run is lost."""
        pairs = self._pairs(values)
        return self._held("hand_over", run_id, fence, owner, str(target), RunStatus.QUEUED, *pairs)

    def awaiting_dataset(self) -> list[str]:
        """The ids of the runs that wait for their data set."""
        with store_errors():
            return [str(found) for found in self.client.zrange(keys.queue(DATASET_QUEUE), 0, -1)]

    def settle(self, run_id: str, status: str, values: Mapping[str, Any]) -> tuple[str, Run | None]:
        """See settle.lua."""
        return self._decided("settle", run_id, status, *self._pairs(values))

    def cancel(self, run_id: str) -> tuple[str, Run | None]:
        """See cancel.lua."""
        return self._decided("cancel", run_id)

    def resume(self, run_id: str, epochs: int | None) -> tuple[str, Run | None]:
        """See resume.lua; `epochs` is the new target, None leaves it."""
        return self._decided("resume", run_id, "" if epochs is None else epochs)

    def retry(self, run_id: str) -> tuple[str, Run | None]:
        """See retry.lua."""
        return self._decided("retry", run_id)

    def export(self, run: Run) -> tuple[str, Run | None]:
        """See export.lua; the run has the spec that it is to have."""
        spec = self.codec.to_hash({SPEC: self.codec.to_json(run)[SPEC]})[SPEC]
        return self._decided("export", run.id, spec)

    def remove(self, run_id: str) -> tuple[str, Run | None]:
        """See remove_run.lua."""
        return self._decided("remove_run", run_id, REMEMBERED_S)

    def index(self, runs: Iterable[Run]) -> None:
        """Bring runs into their lists anew, but for those of which Redis has another revision."""
        calls: list[list[str | int | float]] = []
        for run in runs:
            fields = listed_fields(self.codec.to_json(run))
            calls.append([run.id, run.revision, *(text for pair in fields.items() for text in pair)])
        run_together(self.client, "index_run", calls)

    def unlisted(self) -> list[str]:
        """The ids of runs that a process of a release with older lists has changed, where this one's are the
        newest that there are."""
        with store_errors():
            if int(str(self.client.get(keys.LISTS) or 0)) > keys.LISTS_VERSION:
                return []
            return sorted(str(found) for found in self.client.smembers(keys.UNLISTED))

    def forget_unlisted(self, run_id: str) -> None:
        """Of a run that is gone."""
        with store_errors():
            self.client.srem(keys.UNLISTED, run_id)

    def _pairs(self, values: Mapping[str, Any]) -> list[str]:
        """With what lists need of them."""
        listed = listed_fields(values)
        return [*super()._pairs(values), *(text for pair in listed.items() for text in pair)]

    def _decided(self, script: str, *arguments: str | int) -> tuple[str, Run | None]:
        outcome, found = run_script(self.client, script, *arguments)
        return outcome, self.codec.from_hash(found) if found else None

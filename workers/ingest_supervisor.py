"""Supervises the ingest of one data set in a child process."""

import threading
import time
from typing import Any

from trainyard.datasets import Dataset, DatasetStatus
from trainyard.errors import BadDataset, ChildDied, OwnershipLost, StoreUnavailable
from trainyard.lease import Ownership
from trainyard.registry import DatasetRegistry
from trainyard.storage import Storage
from workers.child import Child, Message

INGEST_CHILD = "workers.ingest_child"
TICK_S = 0.2
PROGRESS_EVERY_S = 1.0
EXIT_GRACE_S = 10.0


class IngestSupervisor:
    """Ingests one claimed data set, or gives it back when the worker drains."""

    def __init__(
        self,
        datasets: DatasetRegistry,
        storage: Storage,
        draining: threading.Event,
        dataset: Dataset,
        ownership: Ownership,
    ) -> None:
        self._datasets = datasets
        self._draining = draining
        self._dataset = dataset
        self._ownership = ownership
        self._folder = storage.dataset(dataset.id)
        self._outcome: Message = {}
        self._told_at = 0.0

    def supervise(self) -> None:
        """Returns when the data set is ready or failed, or is back in its queue; raises OwnershipLost."""
        child = Child(INGEST_CHILD, self._job(), self._ownership.until)
        try:
            while child.is_open and not self._outcome and not self._draining.is_set():
                for message in child.messages(TICK_S):
                    self._receive(message)
                self._renew(child)
            if self._draining.is_set() and not self._outcome:
                self._datasets.release(self._dataset)
                return
        finally:
            if not self._outcome:
                child.kill()
            code = child.wait(EXIT_GRACE_S)
        self._conclude(code)

    def _job(self) -> Message:
        record = self._datasets.to_json(self._dataset)
        return {
            "upload": str(self._folder.upload),
            "folder": str(self._folder.path),
            "options": record["options"],
        }

    def _renew(self, child: Child) -> None:
        """Renew the lease; raises OwnershipLost where another has the set, or may soon have it."""
        asked_at = time.monotonic()
        try:
            self._datasets.renew(self._dataset)
        except StoreUnavailable as error:
            if self._ownership.has_lapsed:
                raise OwnershipLost(f"{self._dataset.id}: {error.message}") from error
            return
        self._ownership.renew(asked_at)
        child.allow(self._ownership.until)

    def _receive(self, message: Message) -> None:
        if "progress" not in message:
            self._outcome = message
        elif time.monotonic() - self._told_at > PROGRESS_EVERY_S:
            self._told_at = time.monotonic()
            done, total = message["progress"]
            self._dataset = self._datasets.update(self._dataset, images_done=done, images_total=total)

    def _conclude(self, code: int | None) -> None:
        if "result" not in self._outcome:
            died = ChildDied(f"The ingest process ended with exit code {code} and no result.")
            self._fail(self._outcome.get("error") or died.to_dict(), [])
            return
        summary, problems = self._outcome["result"]["summary"], self._outcome["result"]["problems"]
        if summary is None:
            self._fail(BadDataset().to_dict(), problems)
            return
        images = summary["images"]
        self._datasets.finish(
            self._dataset,
            DatasetStatus.READY,
            summary=summary,
            problems=problems,
            images_done=images,
            images_total=images,
        )

    def _fail(self, error: dict[str, Any], problems: list[dict[str, Any]]) -> None:
        self._datasets.finish(self._dataset, DatasetStatus.FAILED, error=error, problems=problems)

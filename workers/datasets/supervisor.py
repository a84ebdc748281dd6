"""Supervises the ingest of one data set in a child process."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from trainyard.datasets.failures import of_dataset
from trainyard.datasets.record import Dataset, DatasetStatus
from trainyard.errors import (
    BadDataset,
    DatasetQuestion,
    InvalidRequest,
    OwnershipLost,
    Revoked,
    StoreUnavailable,
)
from trainyard.lease import Ownership
from trainyard.registry.datasets import DatasetRegistry
from trainyard.runs.failures import another_try_helps
from trainyard.storage.files import Storage
from workers.datasets.exit_diagnosis import IngestDeath
from workers.process.child import FENCED, INGEST_CHILD, ORPHANED, Child, Message
from workers.process.lease_guard import LeaseGuard
from workers.process.store_retry import until_answered

logger = logging.getLogger(__name__)

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
        is_revoked: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_revoked` tells whether an operator wants this attempt to end."""
        self._is_revoked = is_revoked
        self._datasets = datasets
        self._draining = draining
        self._dataset = dataset
        self._ownership = ownership
        self._storage = storage
        self._outcome: Message = {}
        self._progress: tuple[int, int] | None = None
        self._told_at = 0.0
        self._reads: str | None = None
        self._death = IngestDeath()
        self.ended: Dataset | None = None
        """The record as its attempt left it, once that is decided."""

    def supervise(self) -> None:
        """Returns when the data set is ready or failed, or is back in its queue; raises OwnershipLost."""
        try:
            self._ingest()
        except OwnershipLost:
            with suppress(StoreUnavailable):  # a worker that shuts down while Redis is away
                self._datasets.clear_removed(self._dataset.id)
            raise

    def _ingest(self) -> None:
        try:
            job = self._job()
        except InvalidRequest as error:
            self._fail(error.to_dict())
            return
        child = Child(INGEST_CHILD, job, self._ownership.until)
        guard = LeaseGuard(child, self._ownership, self._dataset.id)
        try:
            with guard:
                self._watch(child, guard)
        finally:
            if guard.is_halted or not self._outcome:
                child.kill()
            code = child.wait(EXIT_GRACE_S)
        until_answered(lambda: self._end(code), self._dataset.id, self._draining)

    def _watch(self, child: Child, guard: LeaseGuard) -> None:
        while child.is_open and not self._outcome and not (self._draining.is_set() or self._is_revoked()):
            for message in child.messages(TICK_S):
                self._receive(message)
            self._exchange(guard)

    def _end(self, code: int | None) -> None:
        if self._outcome:
            self._conclude()
        elif self._is_revoked():
            self._fail(Revoked().to_dict())
        elif self._draining.is_set():
            self.ended = self._datasets.release(self._dataset)
        elif code in (FENCED, ORPHANED):
            # For want of word from here: it is not to blame.
            self.ended = self._datasets.release(self._dataset, "fenced")
        else:
            self._fail(self._death.cause(code).to_dict())

    def _job(self) -> Message:
        """Raises InvalidRequest where what is to be read is no longer in the data root."""
        dataset, folder = self._dataset, self._storage.dataset(self._dataset.id)
        record = self._datasets.to_json(dataset)
        return {
            "upload": self._source(),
            "annotation": str(folder.annotation) if dataset.annotation_name else None,
            "annotation_name": dataset.annotation_name,
            "folder": str(folder.path),
            "options": record["change"] or record["options"],
        }

    def _source(self) -> str | dict[str, str]:
        """The path of what is to be read; of several parts, their paths by their names."""
        dataset, data = self._dataset, self._storage.data
        if dataset.parts:
            return {name: str(data.path(part)) for name, part in dataset.parts.items()}
        if dataset.incoming:
            return str(data.path(dataset.incoming))
        return str(self._storage.dataset(dataset.id).upload)

    def _exchange(self, guard: LeaseGuard) -> None:
        """Renew the lease and tell how far it is; without an answer the guard halts the child in time.

        Raises OwnershipLost where another has the set.
        """
        asked_at = time.monotonic()
        try:
            self._datasets.renew(self._dataset)
            self._ownership.renew(asked_at)
            guard.renewed()
            self._tell_progress()
        except StoreUnavailable as error:
            logger.warning("Data set %s is without Redis: %s", self._dataset.id, error.message)

    def _receive(self, message: Message) -> None:
        if "progress" in message:
            self._progress = message["progress"]
        elif "reads_next" in message:
            self._reads = message["reads_next"]
        else:
            self._outcome = message

    def _tell_progress(self) -> None:
        if self._progress and time.monotonic() - self._told_at > PROGRESS_EVERY_S:
            self._told_at = time.monotonic()
            done, total = self._progress
            self._dataset = self._datasets.update(self._dataset, images_done=done, images_total=total)
            self._progress = None

    def _conclude(self) -> None:
        if "error" in self._outcome:
            self._fail(self._outcome["error"])
        elif self._outcome["result"]["summary"] is None:
            self._refuse(self._outcome["result"])
        else:
            self._keep(self._outcome["result"])

    def _keep(self, result: dict[str, Any]) -> None:
        """The set is ready, with what was made in use. The same content again is the same version."""
        summary, record = result["summary"], self._datasets.to_json(self._dataset)
        options = record["change"] or record["options"]
        versions = record["versions"]
        version = next((one for one in versions if one["content_hash"] == summary["content_hash"]), None)
        if version is None:
            version = {
                "version": len(versions) + 1,
                "created_at": time.time(),
                "label_map": options["label_map"],
                **{name: summary[name] for name in ("content_hash", "images", "splits")},
            }
            versions = [*versions, version]
        self._finish(
            DatasetStatus.READY,
            summary["images"],
            options=options,
            summary=summary,
            problems=result["problems"],
            proposed_label_map=result["proposed_label_map"],
            questions=[],
            version=version["version"],
            versions=versions,
            refused_change=None,
        )

    def _refuse(self, result: dict[str, Any]) -> None:
        """The set cannot be used as it was sent, or not before its questions are answered."""
        found = {name: result[name] for name in ("problems", "questions", "proposed_label_map")}
        if result["questions"]:
            self._end_without_version(DatasetStatus.QUESTION, DatasetQuestion().to_dict(), found)
        else:
            self._end_without_version(DatasetStatus.FAILED, BadDataset().to_dict(), found)

    def _fail(self, error: dict[str, Any]) -> None:
        """The set waits for another try where that may help, and has failed otherwise."""
        error = of_dataset(error, self._reads)
        if another_try_helps(error["code"]):
            logger.warning("The ingest of %s broke: %s", self._dataset.id, error["message"])
            self.ended = self._datasets.crash(self._dataset, error)
            return
        found: dict[str, Any] = {"problems": [], "questions": [], "proposed_label_map": None}
        self._end_without_version(DatasetStatus.FAILED, error, found)

    def _end_without_version(
        self, status: DatasetStatus, error: dict[str, Any], found: dict[str, Any]
    ) -> None:
        """No version came of it; a set that has one keeps it in use and tells what became of the change."""
        if self._dataset.summary is None:
            self.ended = self._datasets.finish(self._dataset, status, error=error, **found)
            return
        refused = {"options": self._datasets.to_json(self._dataset)["change"], "error": error, **found}
        self._finish(DatasetStatus.READY, self._dataset.summary.images, refused_change=refused)

    def _finish(self, status: DatasetStatus, images: int, **values: Any) -> None:
        self.ended = self._datasets.finish(
            self._dataset,
            status,
            images_done=images,
            images_total=images,
            change=None,
            error=None,
            **values,
        )

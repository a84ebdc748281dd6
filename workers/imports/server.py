"""Takes in experiments that were trained elsewhere; beside predictions, which are short."""

import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainyard.errors import ImportTimeout
from trainyard.store.resources.prediction_store import Job, PredictionStore
from workers.process.child import IMPORT_CHILD
from workers.process.job_server import JobServer, answer_of_its_own


class ImportServer(JobServer):
    """Takes one at a time, each in a process of its own, until the worker drains."""

    def __init__(
        self, imports: PredictionStore, storage: Path, worker_id: str, draining: threading.Event
    ) -> None:
        super().__init__(imports, worker_id, draining, "importing")
        self._storage = storage

    def answer(self, job: Job, until: float) -> dict[str, Any]:
        told = {**asdict(job), "storage": str(self._storage)}
        return answer_of_its_own(IMPORT_CHILD, told, until, ImportTimeout)

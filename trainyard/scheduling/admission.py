"""Runs that were accepted before their data set could be used, once it can."""

import logging

from trainyard.datasets.record import UNREAD, Dataset
from trainyard.errors import BadDataset, NotFound, Unreadable, UserError
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.runs.config_file import write_config
from trainyard.runs.dataset_checks import check_dataset, fitted
from trainyard.runs.record import Run
from trainyard.storage.files import Storage

logger = logging.getLogger(__name__)


class Admission:
    """Lets runs whose data set is ready wait for a worker; where none can come of it, the run has failed."""

    def __init__(self, runs: RunRegistry, datasets: DatasetRegistry, storage: Storage) -> None:
        self._runs = runs
        self._datasets = datasets
        self._storage = storage

    def look(self) -> None:
        """Settle what can be settled; idempotent, by however many processes at once.

        Raises StoreUnavailable and StorageUnavailable.
        """
        for run_id in self._runs.awaiting_dataset():
            try:
                run = self._runs.get(run_id)
                dataset = self._datasets.get(run.dataset_id)
            except NotFound:
                continue  # removed meanwhile
            except Unreadable as error:
                logger.error("Run %s waits for its data set, and cannot be read: %s", run_id, error.message)
                continue
            if dataset.status not in UNREAD:
                self._settle(run, dataset)

    def _settle(self, run: Run, dataset: Dataset) -> None:
        if found := _failure(dataset):
            self._runs.refuse(run, found)
            return
        try:
            self._admit(run, dataset)
        except UserError as error:
            self._runs.refuse(run, error.to_dict())

    def _admit(self, run: Run, dataset: Dataset) -> None:
        """Raises UserError where no run can come of the set."""
        check_dataset(dataset)
        spec, notices = fitted(run.spec, dataset, self._storage)
        content_hash = dataset.summary.content_hash if dataset.summary else ""
        changes = {"spec": spec.to_dict(), "notices": [*run.notices, *notices], "dataset_hash": content_hash}
        if admitted := self._runs.admit(run, changes):
            write_config(self._storage.run(run.id), admitted)


def _failure(dataset: Dataset) -> dict[str, object] | None:
    """Why the newest reading of the set came to nothing, as the error of a run; None where it is in use."""
    refused = dataset.refused_change
    error = refused.error if refused else dataset.error
    if error is None:
        return None
    if error["cause"] == "infrastructure":
        return error
    found = (refused or dataset).problems
    texts = [one.message for one in found if one.severity == "error"]
    texts += [one.text for one in (refused or dataset).questions]
    why = " ".join(texts) or error["message"]
    return BadDataset(
        f"Data set {dataset.id} cannot be trained on: {why}",
        remedy="Mend the files of the data set, or answer its questions; then retry the run.",
        errors={"dataset_id": [str(dataset.status)]},
    ).to_dict()

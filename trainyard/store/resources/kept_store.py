"""Records that wait for no work: they are made, changed and removed by clients alone."""

from typing import TypeVar

from trainyard.library.draft import Draft, DraftStatus
from trainyard.library.saved_experiment import ExperimentStatus, SavedExperiment
from trainyard.store.connection import Client, run_script
from trainyard.store.records import REMEMBERED_S, Life, RecordStore

Record = TypeVar("Record")
DRAFT_LIFE = Life(waiting="", working="", failed=DraftStatus.DRAFT)
"""Nobody takes a draft; one whose record cannot be read is listed with all others."""
EXPERIMENT_LIFE = Life(waiting="", working="", failed=ExperimentStatus.SAVED)
"""Likewise."""


class KeptStore(RecordStore[Record]):
    """All records of one such kind."""

    def keep(self, record: Record, record_id: str, status: str) -> tuple[bool, Record]:
        """Create it: whether it is new, and the record as it now stands; see keep.lua."""
        pairs = self._pairs(self.codec.to_json(record))
        outcome, found = run_script(self.client, "keep", self.kind, record_id, status, *pairs)
        return outcome == "created", self.codec.from_hash(found)

    def forget(self, record_id: str) -> bool:
        """Remove it; False where there was none, see forget.lua."""
        return run_script(self.client, "forget", self.kind, record_id, REMEMBERED_S)[0] == "ok"


def draft_store(client: Client) -> KeptStore[Draft]:
    """All drafts."""
    return KeptStore(client, "draft", Draft)


def experiment_store(client: Client) -> KeptStore[SavedExperiment]:
    """All saved experiments."""
    return KeptStore(client, "experiment", SavedExperiment)

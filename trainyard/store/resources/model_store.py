"""What happens to trained models only: they are registered, staged and removed."""

from collections.abc import Mapping
from typing import Any

from trainyard.library.trained_model import ModelStage, TrainedModel
from trainyard.store import keys
from trainyard.store.connection import Client, run_script
from trainyard.store.records import REMEMBERED_S, Life, Page, RecordStore

MODEL_LIFE = Life(waiting="", working="", failed=ModelStage.ARCHIVED)
"""A model waits for no work; one whose record cannot be read is listed with those that are archived."""


class ModelStore(RecordStore[TrainedModel]):
    """All trained models."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, "model", TrainedModel)

    def register(self, model: TrainedModel) -> tuple[str, TrainedModel | None]:
        """See register_model.lua: the outcome, and the record as it now stands."""
        pairs = self._pairs(self.codec.to_json(model))
        return self._answered("register_model", model.id, model.status, *pairs)

    def change(
        self, model_id: str, stage: ModelStage | None, values: Mapping[str, Any]
    ) -> TrainedModel | None:
        """See edit_model.lua; None when there is no such model."""
        return self._answered("edit_model", model_id, stage or "", *self._pairs(values))[1]

    def remove(self, model_id: str) -> str:
        """See remove_model.lua: the outcome."""
        return run_script(self.client, "remove_model", model_id, REMEMBERED_S)[0]

    def versions(self, name: str, cursor: str | None, limit: int) -> Page[TrainedModel]:
        """As `page`, of the versions of a name in all projects."""
        return self._page(keys.model_versions(name), cursor, limit)

    def _answered(self, script: str, *arguments: str) -> tuple[str, TrainedModel | None]:
        outcome, found = run_script(self.client, script, *arguments)
        return outcome, self.codec.from_hash(found) if found else None

"""The registry of trained models: names, versions and stages."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainyard.access import require_project
from trainyard.errors import Conflict, StorageUnavailable, StoreUnavailable
from trainyard.library.trained_model import ModelStage, TrainedModel
from trainyard.registry.records import Records
from trainyard.storage.files import Storage, remove_folder
from trainyard.storage.ids import check_id
from trainyard.store.codec import UnreadableRecord
from trainyard.store.connection import Client
from trainyard.store.records import REBUILDING, Page
from trainyard.store.resources.model_store import MODEL_LIFE, ModelStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ModelQuery:
    """Which models a client wants listed, newest first: those that meet all that is given."""

    project: str | None = None
    name: str | None = None
    stages: tuple[str, ...] = ()
    run_id: str | None = None
    dataset_id: str | None = None
    cursor: str | None = None
    limit: int = 50

    def fits(self, model: TrainedModel | UnreadableRecord) -> bool:
        """Whether a model meets it; one whose record cannot be read meets what it is not asked about."""
        wanted = {
            name: value
            for name in ("project", "name", "run_id", "dataset_id")
            if (value := getattr(self, name)) is not None
        }
        if isinstance(model, UnreadableRecord):
            return not self.stages and all(getattr(model, name, None) == wanted[name] for name in wanted)
        is_in_stage = not self.stages or model.status in self.stages
        return is_in_stage and all(getattr(model, name) == wanted[name] for name in wanted)


class ModelRegistry(Records[TrainedModel]):
    """All trained models."""

    _store: ModelStore

    def __init__(self, client: Client, storage: Storage) -> None:
        super().__init__(ModelStore(client), storage, MODEL_LIFE)

    def register(self, model: TrainedModel) -> tuple[bool, TrainedModel]:
        """Accept a model whose folder holds its files: whether it is new, and how it now stands, its version.

        One that is known by its id stays as it is. Raises Forbidden where the caller may not do so in its
        project, StorageUnavailable, and StoreUnavailable, also while not all versions are known.
        """
        require_project(model.project)
        self.refuse_forgotten(model.id)
        self.require_complete()
        self._write(model)
        outcome, found = self._store.register(model)
        if found is None:
            raise StoreUnavailable(REBUILDING)
        return outcome == "created", self._mirrored(found)

    def change(self, model_id: str, stage: ModelStage | None, values: Mapping[str, Any]) -> TrainedModel:
        """Change notes, and the stage where one is given; raises NotFound.

        Of a name one version is in production: another one that was is archived.
        """
        found = self._store.change(check_id(model_id), stage, values)
        if found is None:
            raise self.absent(model_id)
        changed = self._mirrored(found)
        if stage == ModelStage.PRODUCTION:
            self._mirror_archived()
        return changed

    def _mirror_archived(self) -> None:
        try:
            self.repair_mirrors()
        except (StorageUnavailable, StoreUnavailable) as error:
            logger.error("The record of an archived model stays behind for now: %s", error.message)

    def remove(self, model_id: str) -> None:
        """Forget a model and delete its files; raises NotFound, and Conflict for one in production."""
        outcome = self._store.remove(check_id(model_id))
        if outcome == "missing":
            raise self.absent(model_id)
        if outcome == "in_use":
            raise Conflict(
                f"Model {model_id} is in production.",
                remedy="Put another version into production, or give this one another stage first.",
                errors={"stage": ModelStage.PRODUCTION},
            )
        remove_folder(self._storage.model(model_id).path)

    @property
    def predictions(self) -> Path:
        """Where the files of predictions under way lie."""
        return self._storage.predictions

    def select(self, query: ModelQuery) -> Page[TrainedModel]:
        """A page of models; raises StoreUnavailable while not all of them are known again."""
        items: list[TrainedModel | UnreadableRecord] = []
        for page in self._pages(query):
            fitting = [one for one in page.items if query.fits(one)]
            room = query.limit - len(items)
            items += fitting[:room]
            if len(items) == query.limit:
                is_last = len(fitting) <= room and page.next_cursor is None
                return Page(items, None if is_last else _cursor_after(items[-1], page))
        return Page(items, None)

    def _pages(self, query: ModelQuery) -> Iterator[Page[TrainedModel]]:
        """Pages of the narrowest index, which may hold models that the query does not want."""
        stage = query.stages[0] if len(query.stages) == 1 else None
        cursor = query.cursor
        while True:
            if query.name is not None:
                page = self._store.versions(query.name, cursor, query.limit)
            else:
                page = self.page(stage, query.project, cursor, query.limit)
            yield page
            if (cursor := page.next_cursor) is None:
                return


def _cursor_after(last: TrainedModel | UnreadableRecord, page: Page[TrainedModel]) -> str | None:
    """Where the next page begins: after that model, or after this page where its time is not known."""
    return page.next_cursor if isinstance(last, UnreadableRecord) else str(round(last.created_at * 1e6))

"""Use cases of drafts: runs that are saved, edited, checked, and submitted later."""

import time
from collections.abc import Mapping
from typing import Any

from app.service.requests.keyed import keyed_id
from app.service.runs.runs import RunRequest, RunService
from trainyard.access import present_access, require_project
from trainyard.errors import InvalidRequest, NotFound
from trainyard.library.draft import Draft, DraftStatus
from trainyard.registry.kept import KeptRecords
from trainyard.runs.record import Run
from trainyard.storage.ids import new_draft_id
from trainyard.store.processes.locks import Locks
from trainyard.store.records import Page

PROJECT = "default"
"""Of a draft that names neither project nor data set."""
LOCK_S = 10.0
MISSING = "Missing data for required field."


class DraftService:
    """A draft holds what its run would be asked for with, as far as that is known."""

    def __init__(self, drafts: KeptRecords[Draft], runs: RunService, locks: Locks) -> None:
        self._drafts = drafts
        self._runs = runs
        self._locks = locks

    def page(self, project: str | None, cursor: str | None, limit: int) -> Page[Draft]:
        """A page of drafts, newest first."""
        return self._drafts.page(None, project, cursor, limit)

    def get(self, draft_id: str) -> Draft:
        """The draft; raises NotFound."""
        return self._drafts.get(draft_id)

    def save(self, asked: Mapping[str, Any]) -> Draft:
        """Keep a draft of what is known of a run; raises Forbidden."""
        now = time.time()
        draft = Draft(
            id=new_draft_id(),
            project=self._project(asked),
            created_at=now,
            created_by=present_access().who,
            changed_at=now,
            request=dict(asked),
        )
        return self._drafts.create(draft, DraftStatus.DRAFT)

    def change(self, draft_id: str, changes: Mapping[str, Any]) -> Draft:
        """Replace what is given; None leaves a field out from now on. Raises NotFound and Forbidden."""
        with self._locks.held(draft_id, LOCK_S):
            merged = {**self._drafts.get(draft_id).request, **changes}
            asked = {name: value for name, value in merged.items() if value is not None}
            values = {"request": asked, "project": self._project(asked), "changed_at": time.time()}
            return self._drafts.change(draft_id, values)

    def remove(self, draft_id: str) -> None:
        """Throw a draft away; raises NotFound."""
        self._drafts.remove(draft_id)

    def check(self, draft_id: str) -> Run:
        """The run that would come of it now; raises InvalidRequest for all that it lacks, and as a check."""
        return self._runs.check(self._request(self._drafts.get(draft_id)))

    def submit(self, draft_id: str) -> tuple[bool, Run]:
        """Make a run of it, after which the draft is gone: whether the run is new, and its record.

        Asked for again, it answers with the same run. Raises as `check`.
        """
        run_id = keyed_id("run", "draft", draft_id)
        with self._locks.held(draft_id, LOCK_S):
            try:
                draft = self._drafts.get(draft_id)
            except NotFound:
                return False, self._submitted(draft_id, run_id)
            created, run = self._runs.submit_once(run_id, self._request(draft))
            self._drafts.remove(draft_id)
        return created, run

    def _submitted(self, draft_id: str, run_id: str) -> Run:
        try:
            run = self._runs.get(run_id)
        except NotFound as error:
            raise NotFound(f"There is no draft {draft_id}.") from error
        require_project(run.project)
        return run

    def _request(self, draft: Draft) -> RunRequest:
        """Raises InvalidRequest that names everything in which the draft falls short by itself."""
        asked = {"project": draft.project, **draft.request}
        if "dataset_id" in asked:
            return RunRequest(**asked)
        errors: dict[str, Any] = {"dataset_id": [MISSING]}
        try:
            self._runs.compose(RunRequest(dataset_id="", **asked))
        except InvalidRequest as error:
            errors |= error.errors
        raise InvalidRequest("The draft is no whole request.", errors=errors)

    def _project(self, asked: Mapping[str, Any]) -> str:
        """The one that is named, else that of the data set where there is such a one."""
        named = asked.get("project")
        if named is None and "dataset_id" in asked:
            named = self._runs.project_of_dataset(asked["dataset_id"])
        return str(named or PROJECT)

"""Drafts: runs that are saved, edited, checked, and submitted later."""

from collections.abc import Iterator
from typing import Any

from trainyard_client.decoding import decode
from trainyard_client.records import CheckedRun, Draft, Run
from trainyard_client.resources.paging import every, given
from trainyard_client.transport import Transport

ROOT = "/api/v1/drafts"


class Drafts:
    """`client.drafts`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def save(self, **fields: Any) -> Draft:
        """Keep what is known of a run: dataset_id, experiment, spec, name, project and the others."""
        return decode(Draft, self._transport.json("POST", ROOT, json=given(fields)))

    def list(self, *, project: str | None = None) -> Iterator[Draft]:
        """All of them, newest first."""
        return every(self._transport, ROOT, Draft, {"project": project})

    def get(self, draft_id: str) -> Draft:
        """The draft."""
        return decode(Draft, self._transport.json("GET", f"{ROOT}/{draft_id}"))

    def change(self, draft_id: str, **changes: Any) -> Draft:
        """Replace what is given; what is given as None is left out from now on."""
        return decode(Draft, self._transport.json("PATCH", f"{ROOT}/{draft_id}", json=changes))

    def check(self, draft_id: str) -> CheckedRun:
        """The run that would come of it; raises Refused that names what it lacks."""
        found = self._transport.json("POST", f"{ROOT}/{draft_id}/check", repeatable=True)
        return decode(CheckedRun, found)

    def submit(self, draft_id: str) -> Run:
        """Make a run of it, after which the draft is gone. Sent again, it is the same run."""
        return decode(Run, self._transport.json("POST", f"{ROOT}/{draft_id}/submit", repeatable=True))

    def delete(self, draft_id: str) -> None:
        """Throw it away."""
        self._transport.json("DELETE", f"{ROOT}/{draft_id}")

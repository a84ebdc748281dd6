"""Saved experiments: settings that a project keeps under a name, of which runs are made."""

from collections.abc import Iterator, Mapping
from typing import Any

from trainyard_client.decoding import decode
from trainyard_client.records import SavedExperiment
from trainyard_client.resources.paging import every, given
from trainyard_client.transport import Transport

ROOT = "/api/v1/saved-experiments"


class Experiments:
    """`client.experiments`; `client.models.experiments` lists those that every project has."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def save(
        self,
        name: str,
        *,
        spec: Mapping[str, Any] | None = None,
        experiment: str | None = None,
        run_id: str | None = None,
        **fields: Any,
    ) -> SavedExperiment:
        """Keep `spec`, perhaps over another experiment or over a run's settings, under a name.

        `fields` are project and notes. A run is made of it by `client.runs.submit(..., experiment=name)`.
        """
        asked = {"name": name, "spec": spec, "experiment": experiment, "run_id": run_id, **fields}
        return decode(SavedExperiment, self._transport.json("POST", ROOT, json=given(asked), repeatable=True))

    def list(self, *, project: str | None = None) -> Iterator[SavedExperiment]:
        """All of them, newest first."""
        return every(self._transport, ROOT, SavedExperiment, {"project": project})

    def get(self, experiment_id: str) -> SavedExperiment:
        """One of them."""
        return decode(SavedExperiment, self._transport.json("GET", f"{ROOT}/{experiment_id}"))

    def change(self, experiment_id: str, **changes: Any) -> SavedExperiment:
        """Replace notes, or spec as a whole."""
        path = f"{ROOT}/{experiment_id}"
        return decode(SavedExperiment, self._transport.json("PATCH", path, json=changes))

    def delete(self, experiment_id: str) -> None:
        """Forget it; runs that were made of it stay."""
        self._transport.json("DELETE", f"{ROOT}/{experiment_id}")

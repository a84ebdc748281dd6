"""A patient client of the REST API: what is not answered is asked again, with the same key."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.waits import Limit, scaled

RETRY_S = 0.3
SETTLED = ("completed", "stopped", "failed", "cancelled")


class Impatient(Exception):
    """An answer did not come within the time that the client had."""


class Client:
    """Talks to the API at `url`; gives up after `patience_s`, of an idle machine."""

    def __init__(self, url: str, patience_s: float) -> None:
        self._http = httpx.Client(base_url=url, timeout=scaled(10))
        self._patience_s = patience_s

    def close(self) -> None:
        self._http.close()

    def wait_until_ready(self) -> None:
        """Return once the API can work."""
        self._answer(lambda: self._http.get("/readyz"))

    def upload(self, archive: Path, form: str | None) -> str:
        """Send a data set, of that format where it is named, and wait for its ingest; returns its id."""
        with archive.open("rb") as file:
            fields = {"name": archive.stem, "project": "chaos"} | ({"format": form} if form else {})
            sent = self._http.post("/api/v1/datasets", data=fields, files={"file": ("set.zip", file)})
        dataset = sent.raise_for_status().json()
        while dataset["status"] in ("queued", "ingesting"):
            time.sleep(RETRY_S)
            dataset = self._read(f"/api/v1/datasets/{dataset['id']}")
        if dataset["status"] != "ready":
            raise ValueError(f"The data set cannot be used: {dataset['problems']}")
        return str(dataset["id"])

    def submit(self, key: str, dataset_id: str, spec: dict[str, Any]) -> str:
        """Submit a run until it is accepted; returns its id."""
        body = {"dataset_id": dataset_id, "spec": spec, "name": key}
        headers = {"Idempotency-Key": key}
        return str(
            self._answer(lambda: self._http.post("/api/v1/runs", json=body, headers=headers)).json()["id"]
        )

    def run(self, run_id: str) -> dict[str, Any]:
        """Read a run."""
        return self._read(f"/api/v1/runs/{run_id}")

    def ask(self, run_id: str, deed: str) -> bool:
        """Ask for `stop`, `cancel` or `resume` until there is an answer: whether the state allowed it."""
        answer = self._answer(lambda: self._http.post(f"/api/v1/runs/{run_id}/{deed}", json={}))
        return answer.status_code != httpx.codes.CONFLICT

    def rows(self, run_id: str) -> list[dict[str, Any]]:
        """The metrics of its epochs."""
        rows: list[dict[str, Any]] = self._read(f"/api/v1/runs/{run_id}/metrics")["items"]
        return rows

    def count(self, project: str) -> int:
        """How many runs of the project are listed."""
        found, cursor = 0, ""
        while True:
            page = self._read(f"/api/v1/runs?project={project}&limit=200&fields=id{cursor}")
            found += len(page["items"])
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def is_alive(self) -> bool:
        """Whether the server answers at all."""
        try:
            return self._http.get("/healthz").is_success
        except httpx.TransportError:
            return False

    def wait(self, run_id: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The run once it is as wished, or has ended otherwise."""
        limit = Limit(self._patience_s)
        while not limit.has_passed:
            run = self.run(run_id)
            if until(run) or run["status"] in SETTLED:
                return run
            time.sleep(RETRY_S)
        raise Impatient(f"{run_id} is still {run['status']}, epoch {run['epoch']}.")

    def _read(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self._answer(lambda: self._http.get(path)).json()
        return found

    def _answer(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        """Ask until there is an answer that is not the server's own trouble."""
        limit = Limit(self._patience_s)
        trouble = ""
        while not limit.has_passed:
            try:
                answer = ask()
            except httpx.TransportError as error:
                trouble = repr(error)
            else:
                if answer.status_code == httpx.codes.CONFLICT:
                    return answer
                if not answer.is_server_error:
                    return answer.raise_for_status()
                trouble = answer.text
            time.sleep(RETRY_S)
        raise Impatient(f"No answer within {self._patience_s:.0f} s; the last was {trouble}")

"""The calls that a client of the REST API makes, for the demo."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

POLL_S = 0.3


class DemoFailed(Exception):
    """The stack refused or failed something; the message is its own."""


class Client:
    """Talks to one API."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def wait_until_ready(self, seconds: float, is_alive: Callable[[], bool]) -> None:
        """Return once the API answers that it can work; give up after a while, or when its stack ends."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and is_alive():
            try:
                if self._http.get("/readyz").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(POLL_S)
        raise DemoFailed("The stack did not start; its log says why.")

    def upload(self, archive: Path, name: str, classes: dict[int, str] | None) -> dict[str, Any]:
        """Send a data set and wait until it is ingested."""
        fields = {"name": name, "project": "demo"}
        if classes:
            fields["classes"] = json.dumps(classes)
        with archive.open("rb") as file:
            answer = self._http.post("/api/v1/datasets", data=fields, files={"file": (archive.name, file)})
        dataset = _checked(answer)
        while dataset["status"] in ("queued", "ingesting"):
            time.sleep(POLL_S)
            dataset = _checked(self._http.get(f"/api/v1/datasets/{dataset['id']}"))
        if dataset["status"] != "ready":
            problems = "\n".join(f"{p['file']}: {p['message']} {p['remedy']}" for p in dataset["problems"])
            raise DemoFailed(f"The data set cannot be used.\n{problems}")
        return dataset

    def submit(self, run: dict[str, Any]) -> dict[str, Any]:
        """Submit a run."""
        return _checked(self._http.post("/api/v1/runs", json=run))

    def run(self, run_id: str) -> dict[str, Any]:
        """Read a run."""
        return _checked(self._http.get(f"/api/v1/runs/{run_id}"))

    def events(self, run_id: str) -> Iterator[dict[str, Any]]:
        """The events of a run as they come, until it has ended."""
        with self._http.stream("GET", f"/api/v1/runs/{run_id}/events") as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))


def _checked(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise DemoFailed(f"{answer.request.method} {answer.request.url.path}: {answer.text}")
    body: dict[str, Any] = answer.json()
    return body

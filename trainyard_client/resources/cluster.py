"""Who is there and what waits: projects, queues, workers."""

from collections.abc import Iterator
from urllib.parse import quote

from trainyard_client.decoding import decode
from trainyard_client.records import Project, Queue, Worker
from trainyard_client.resources.paging import every
from trainyard_client.transport import Transport

ROOT = "/api/v1"


class Projects:
    """What projects there are, what they are for, their limits."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[Project]:
        """Those that have records or a description, by name."""
        return every(self._transport, f"{ROOT}/projects", Project, {})

    def create(self, name: str, description: str = "") -> Project:
        """Make a project known before it has any record; raises a refusal where somebody has."""
        body = {"name": name, "description": description}
        return decode(Project, self._transport.json("POST", f"{ROOT}/projects", json=body))

    def describe(self, name: str, description: str) -> Project:
        """Say what a project is for."""
        body = {"description": description}
        return decode(Project, self._transport.json("PATCH", f"{ROOT}/projects/{quote(name)}", json=body))

    def get(self, name: str) -> Project:
        """A project: what it has, what is said and set of it."""
        return decode(Project, self._transport.json("GET", f"{ROOT}/projects/{quote(name)}"))

    def limit(self, name: str, max_concurrent: int | None) -> Project:
        """Set how many of its runs may train at once; None for the server's default."""
        body = {"max_concurrent": max_concurrent}
        return decode(Project, self._transport.json("PUT", f"{ROOT}/projects/{quote(name)}", json=body))


class Queues:
    """What waits."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> list[Queue]:
        """The queues with what waits in them and why."""
        return [decode(Queue, item) for item in self._transport.json("GET", f"{ROOT}/queues")["items"]]


class Workers:
    """Who works."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> list[Worker]:
        """The workers that are there."""
        return [decode(Worker, item) for item in self._transport.json("GET", f"{ROOT}/workers")["items"]]

    def drain(self, worker_id: str) -> Worker:
        """Have a worker take nothing new; it ends what it has in work, and stays."""
        return decode(Worker, self._transport.json("POST", self._drain(worker_id)))

    def end_drain(self, worker_id: str) -> Worker:
        """Let it take work again."""
        return decode(Worker, self._transport.json("DELETE", self._drain(worker_id)))

    def _drain(self, worker_id: str) -> str:
        return f"{ROOT}/workers/{quote(worker_id)}/drain"

"""The way in: one object for one server."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx

from trainyard_client.errors import TrainyardError
from trainyard_client.resources.administration import Admin, Keys
from trainyard_client.resources.boards import Boards
from trainyard_client.resources.cluster import Projects, Queues, Workers
from trainyard_client.resources.datasets import Datasets
from trainyard_client.resources.drafts import Drafts
from trainyard_client.resources.experiments import Experiments
from trainyard_client.resources.models import Models
from trainyard_client.resources.runs import Runs
from trainyard_client.resources.webhooks import Webhooks
from trainyard_client.transport import ANSWER_S, TRIES, Transport, unreachable

READY_POLL_S = 0.3


class Client:
    """A server's data sets, runs, drafts, saved experiments, boards, models, projects, queues, workers, keys
    and administration.

    `url` is its address without `/api/v1`; `api_key` is needed where the server asks for one. Calls that may
    be repeated are tried `tries` times; an answer may be silent for `answer_s` seconds. All calls raise
    TrainyardError.

        with Client("http://127.0.0.1:8000") as client:
            dataset = client.datasets.wait(client.datasets.upload(Path("set.zip"), "roads").id)
            run = client.runs.submit(dataset.id, experiment="demo")
            for event in client.runs.events(run.id):
                print(event.name, event.data)
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        api_key: str | None = None,
        *,
        tries: int = TRIES,
        answer_s: float = ANSWER_S,
        transport: Transport | None = None,
    ) -> None:
        self.transport = transport or Transport(url, api_key, tries=tries, answer_s=answer_s)
        self.datasets = Datasets(self.transport)
        self.runs = Runs(self.transport)
        self.drafts = Drafts(self.transport)
        self.experiments = Experiments(self.transport)
        self.boards = Boards(self.transport)
        self.models = Models(self.transport)
        self.projects = Projects(self.transport)
        self.queues = Queues(self.transport)
        self.workers = Workers(self.transport)
        self.webhooks = Webhooks(self.transport)
        self.keys = Keys(self.transport)
        self.admin = Admin(self.transport)

    def ready(self) -> dict[str, Any]:
        """What the server says of itself; raises ServerBusy while it cannot work."""
        answer: dict[str, Any] = self.transport.json("GET", "/readyz")
        return answer

    def wait_until_ready(self, seconds: float, is_alive: Callable[[], bool] = lambda: True) -> None:
        """Return once the server says that it can work.

        Raises TrainyardError, with its last word, after `seconds`, or as soon as `is_alive` says no.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                self.transport.once("GET", "/readyz")
            except httpx.TransportError as error:
                last: TrainyardError = unreachable(self.transport.url, error)
            except TrainyardError as error:
                last = error
            else:
                return
            if time.monotonic() > end or not is_alive():
                raise last
            self.transport.pause(READY_POLL_S)

    def close(self) -> None:
        """Give the connections back."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

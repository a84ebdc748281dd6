"""Predictions and the like on their way: the API asks, a worker answers, and nobody keeps anything.

Each is wanted for as long as its key is there: it lapses by the clock of Redis when the API gives up.
The images, and what is made of them, lie in storage.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

from trainyard.decoding import decoder
from trainyard.library.import_job import ImportJob
from trainyard.library.prediction import PredictionJob, WeightsJob
from trainyard.store import keys
from trainyard.store.connection import Client, store_errors

PREDICT_QUEUE = "predict"
"""What workers that predict say that they serve."""
ANSWER_KEPT_S = 60
"""How long an answer waits for somebody to fetch it."""
LOOK_S = 2.0
"""How long one look waits for something to come; well below the time that a call of Redis may take."""


Job = PredictionJob | WeightsJob | ImportJob
_KINDS: dict[str, Callable[[Any], Job]] = {
    "prediction": decoder(PredictionJob),
    "weights": decoder(WeightsJob),
    "import": decoder(ImportJob),
}
"""What a job's JSON says it is."""
_NAMES: dict[type[Job], str] = {PredictionJob: "prediction", WeightsJob: "weights", ImportJob: "import"}


class PredictionStore:
    """Asks and answers. Methods raise StoreUnavailable."""

    def __init__(self, client: Client, jobs: str = keys.PREDICTIONS) -> None:
        """`jobs` is the key of the list in which they wait."""
        self._client = client
        self._jobs = jobs

    def ask(self, job: Job, seconds: float) -> None:
        """Want something for so long."""
        text = json.dumps({"kind": _NAMES[type(job)], **asdict(job)})
        with store_errors():
            pipeline = self._client.pipeline()
            pipeline.set(keys.prediction(job.id), text, px=round(seconds * 1000))
            pipeline.lpush(self._jobs, job.id)
            pipeline.execute()

    def waiting(self) -> int:
        """How many have not been taken by a worker."""
        with store_errors():
            return self._client.llen(self._jobs)

    def answered(self, job_id: str) -> dict[str, Any] | None:
        """What came of it; None where nothing has for LOOK_S."""
        with store_errors():
            found = self._client.brpop([keys.prediction_answer(job_id)], timeout=LOOK_S)
        return None if found is None else json.loads(cast("tuple[str, str]", found)[1])

    def give_up(self, job_id: str) -> bool:
        """Want it no more; whether no worker has taken it."""
        with store_errors():
            pipeline = self._client.pipeline()
            pipeline.delete(keys.prediction(job_id), keys.prediction_answer(job_id))
            pipeline.lrem(self._jobs, 0, job_id)
            return bool(pipeline.execute()[1])

    def take(self) -> tuple[Job, float] | None:
        """The next one that is still wanted, and for how many seconds; None where none has come."""
        with store_errors():
            found = self._client.brpop([self._jobs], timeout=LOOK_S)
            if found is None:
                return None
            key = keys.prediction(cast("tuple[str, str]", found)[1])
            pipeline = self._client.pipeline()
            pipeline.get(key)
            pipeline.pttl(key)
            text, left_ms = pipeline.execute()
        if not text:
            return None
        data = json.loads(text)
        return _KINDS[data["kind"]](data), left_ms / 1000

    def answer(self, job_id: str, answer: dict[str, Any]) -> None:
        """Say what came of it."""
        key = keys.prediction_answer(job_id)
        with store_errors():
            pipeline = self._client.pipeline()
            pipeline.lpush(key, json.dumps(answer))
            pipeline.expire(key, ANSWER_KEPT_S)
            pipeline.execute()

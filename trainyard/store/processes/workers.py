"""Signs of life of workers, each gone a while after its worker."""

import json
from dataclasses import asdict
from typing import cast

from trainyard.decoding import decoder
from trainyard.errors import Unreadable
from trainyard.store import keys
from trainyard.store.connection import Client, store_errors
from trainyard.store.processes.worker_record import WorkerState

LIFE_S = 10
"""A worker that has given no sign of life for so long is not listed."""


class WorkerStore:
    """The workers, by an index of their ids."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def beat(self, worker: WorkerState) -> None:
        """Give a sign of life."""
        with store_errors():
            pipeline = self._client.pipeline()
            pipeline.set(keys.worker(worker.id), json.dumps(asdict(worker)), ex=LIFE_S)
            pipeline.sadd(keys.WORKERS, worker.id)
            pipeline.execute()

    def leave(self, worker_id: str) -> None:
        """Strike a worker off that has ended."""
        with store_errors():
            pipeline = self._client.pipeline()
            pipeline.delete(keys.worker(worker_id))
            pipeline.srem(keys.WORKERS, worker_id)
            pipeline.srem(keys.DRAINED_WORKERS, worker_id)
            pipeline.execute()

    def drain(self, worker_id: str) -> bool:
        """Have a worker take nothing new, from its next sign of life on; whether it is there."""
        with store_errors():
            if not self._client.exists(keys.worker(worker_id)):
                return False
            self._client.sadd(keys.DRAINED_WORKERS, worker_id)
            return True

    def end_drain(self, worker_id: str) -> bool:
        """Let it take work again; whether it is there."""
        with store_errors():
            self._client.srem(keys.DRAINED_WORKERS, worker_id)
            return bool(self._client.exists(keys.worker(worker_id)))

    def is_drained(self, worker_id: str) -> bool:
        """Whether it is to take nothing new."""
        with store_errors():
            return bool(self._client.sismember(keys.DRAINED_WORKERS, worker_id))

    def all(self) -> list[WorkerState]:
        """Those that live, by id. One dropped from the index by mistake is back with its next beat."""
        with store_errors():
            ids = sorted(cast("set[str]", self._client.smembers(keys.WORKERS)))
            if not ids:
                return []
            texts = cast("list[str | None]", self._client.mget([keys.worker(one) for one in ids]))
            gone = [one for one, text in zip(ids, texts, strict=True) if text is None]
            if gone:
                self._client.srem(keys.WORKERS, *gone)
                self._client.srem(keys.DRAINED_WORKERS, *gone)
        return [_read(worker_id, text) for worker_id, text in zip(ids, texts, strict=True) if text]


_decode = decoder(WorkerState)


def _read(worker_id: str, text: str) -> WorkerState:
    """What a worker, perhaps of another release, says of itself."""
    try:
        return _decode(json.loads(text))
    except (ValueError, Unreadable) as error:
        return WorkerState(
            id=worker_id,
            host="",
            pid=0,
            queues=(),
            device="",
            memory_bytes=0,
            started_at=0.0,
            unreadable=str(error),
        )

"""The client of Redis, where many threads ask at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

from trainyard.store.connection import connect

MANY = 250
"""More than the driver allows by itself, fewer than a server has threads."""


def test_each_of_many_threads_has_an_answer(redis_url: str):
    client, ready = connect(redis_url), threading.Barrier(MANY)

    def ask(number: int) -> int:
        ready.wait()
        client.blpop(["nothing"], 0.2)
        return number

    with ThreadPoolExecutor(MANY) as threads:
        assert list(threads.map(ask, range(MANY))) == list(range(MANY))
    client.close()

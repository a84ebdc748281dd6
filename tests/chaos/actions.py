"""What is done to a cluster. An action yields how many seconds it waits, and goes on after them."""

import json
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, TypeAlias

from psutil import Process

from tests.chaos.client import SETTLED
from tests.chaos.cluster import Cluster
from tests.chaos.crowd import Crowd
from tests.chaos.load import Load
from tests.chaos.redis_server import MODES
from tests.chaos.step_log import Mark, newest_marks
from tests.chaos.wishes import wish_of
from tests.chaos.worker import Worker, thaw
from tests.refusals import refuse_writes, take_writes
from tests.waits import Limit
from trainyard.storage.json_files import read_json

LOOK_S = 0.25
MODE_S = 1.0
"""How long Redis works in a mode before it is killed in it."""
FULL_S = 15.0
"""How long a disk stays full."""
LEAVE_S = 60.0
"""The grace that a worker has after SIGTERM, in compose and `make up`; on an idle machine."""
ANSWERS_S = 60.0
"""How soon an API that starts must answer, whatever lies in storage; on an idle machine."""
QUEUED = 2
"""Runs that wait while one of them is given a small disk."""
LIVELY_S = 1.0
"""A child that began or ended a step in so many seconds is training."""

Course: TypeAlias = Iterator[float]


@dataclass(frozen=True, kw_only=True)
class Strike:
    """Something was done at `at` (s, monotonic) to `runs`. Each is well again with its next step, by a
    child that is not among `gone`."""

    kind: str
    at: float
    runs: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class Actions:
    """Every action by its kind; `strikes` is what has been done, also in strikes.jsonl of the cluster, and
    `trouble` what others than runs had by it."""

    def __init__(self, cluster: Cluster, load: Load, chance: Random) -> None:
        self.strikes: list[Strike] = []
        self.trouble: list[str] = []
        self._yard = cluster
        self._load = load
        self._chance = chance
        self.kinds: dict[str, Callable[[], Course]] = {
            "child": lambda: self._to_worker("child", Worker.kill_children),
            "finisher": self._finisher,
            "supervisor": lambda: self._to_worker("supervisor", Worker.kill_main),
            "worker": lambda: self._to_worker("worker", Worker.kill_all),
            "drain": lambda: self._to_worker("drain", _drain),
            "freeze-supervisor": lambda: self._freeze("freeze-supervisor", Worker.freeze_main),
            "freeze-worker": lambda: self._freeze("freeze-worker", Worker.freeze_all),
            "redis-always": lambda: self._redis("redis-always", "always", 0.2, 2.0),
            "redis-everysec": lambda: self._redis("redis-everysec", "everysec", 0.2, 2.0),
            "redis-long": self._redis_long,
            "redis-full": lambda: self._refuse("redis-full", "full"),
            "redis-read-only": lambda: self._refuse("redis-read-only", "read-only"),
            "redis-emptied": self._emptied,
            "drain-without-redis": self._drain_without_redis,
            "slow-clients": self._slow_clients,
            "pubsub": self._pubsub,
            "api": self._api,
            "disk": self._disk,
            "cut": self._cut,
        }

    def _to_worker(self, kind: str, deed: Callable[[Worker], None]) -> Course:
        worker, mark = yield from self._training(self._yard.workers)
        self._struck(kind, [mark], gone=True)
        deed(worker)

    def _finisher(self) -> Course:
        """SIGKILL what writes report and export of a trained run: another attempt writes them."""
        while True:
            for worker in self._yard.workers:
                if not worker.is_spared and (process := worker.finisher()):
                    self._struck("finisher", [], gone=True)
                    process.kill()
                    return
            yield LOOK_S

    def _freeze(self, kind: str, deed: Callable[[Worker], list[Process]]) -> Course:
        worker, mark = yield from self._training(self._yard.workers)
        worker.is_spared = True
        self._struck(kind, [mark], gone=True)
        frozen = deed(worker)
        yield self._longer_than_the_lease()
        thaw(frozen)
        worker.is_spared = False

    def _redis_long(self) -> Course:
        lease_s = self._yard.plan.lease_s
        return self._redis("redis-long", self._chance.choice(MODES), 1.1 * lease_s, 1.6 * lease_s)

    def _redis(self, kind: str, mode: str, shortest_s: float, longest_s: float) -> Course:
        """Kill Redis in that mode; what counts is how soon runs go on once it is back."""
        redis = self._yard.redis
        yield from self._with_redis()
        redis.use(mode)
        yield MODE_S
        yield from self._with_redis()  # another action was faster
        training = newest_marks(self._yard.steps, LIVELY_S)
        redis.kill()
        yield self._chance.uniform(shortest_s, longest_s)
        redis.start()
        self._struck(kind, training, gone=False)

    def _refuse(self, kind: str, why: str) -> Course:
        """Redis answers and takes no writes, for shorter or longer than the lease."""
        yield from self._with_redis()
        training = newest_marks(self._yard.steps, LIVELY_S)
        refuse_writes(self._yard.redis.url, why)
        yield self._yard.plan.lease_s * self._chance.uniform(0.3, 1.6)
        yield from self._with_redis()
        take_writes(self._yard.redis.url)
        self._struck(kind, training, gone=False)

    def _emptied(self) -> Course:
        """Redis and the API end, and Redis has lost everything; the API answers at once all the same."""
        redis, cluster = self._yard.redis, self._yard
        while not (redis.answers() and self._are_heard()):
            yield LOOK_S
        training = newest_marks(cluster.steps, LIVELY_S)
        redis.kill()
        cluster.kill_api()
        redis.forget()
        yield self._chance.uniform(0.2, 2.0)
        redis.start()
        cluster.start_api()
        self._struck("redis-emptied", training, gone=False)
        limit = Limit(ANSWERS_S)
        while not cluster.client.is_alive():
            if limit.has_passed:
                self.trouble.append(f"the API did not answer {ANSWERS_S:.0f} s after its start")
                return
            yield LOOK_S

    def _are_heard(self) -> bool:
        """Whether what was cancelled has ended: until its worker hears, Redis alone knows of the wish."""
        return all(self._record(one)["status"] in SETTLED for one in list(self._load.wishes.cancelled))

    def _drain_without_redis(self) -> Course:
        """SIGTERM to a worker while Redis is away: it leaves within its grace, its run goes on elsewhere."""
        redis = self._yard.redis
        worker, mark = yield from self._training(self._yard.workers)
        while not redis.answers():
            yield LOOK_S
            worker, mark = yield from self._training(self._yard.workers)
        redis.kill()
        self._struck("drain-without-redis", [mark], gone=True)
        starts, limit = worker.starts, Limit(LEAVE_S)
        _drain(worker)
        while worker.starts == starts and not limit.has_passed:
            yield LOOK_S
        if worker.starts == starts:
            self.trouble.append(f"{worker.name} did not leave within {LEAVE_S:.0f} s while Redis was away")
            worker.kill_all()
        redis.start()

    def _slow_clients(self) -> Course:
        """Clients that send or read nothing whole; others are answered."""
        while not self._load.accepted:
            yield LOOK_S
        crowd = Crowd(self._yard.port, next(reversed(self._load.accepted)), self._chance.uniform(6.0, 12.0))
        self._struck("slow-clients", newest_marks(self._yard.steps, LIVELY_S), gone=False)
        crowd.start()
        while crowd.is_alive():
            yield LOOK_S
        self.trouble += crowd.trouble

    def _with_redis(self) -> Course:
        """Wait until Redis is up."""
        while not self._yard.redis.answers():
            yield LOOK_S

    def _pubsub(self) -> Course:
        yield from self._with_redis()
        self._struck("pubsub", newest_marks(self._yard.steps, LIVELY_S), gone=False)
        self._yard.redis.close_subscriptions()

    def _api(self) -> Course:
        self._struck("api", newest_marks(self._yard.steps, LIVELY_S), gone=False)
        self._yard.kill_api()
        yield self._chance.uniform(0.0, 1.0)
        self._yard.start_api()

    def _disk(self) -> Course:
        """Fill the disk of a run that has begun; after a while there is room again, and it is resumed."""
        self._load.width += QUEUED
        while (run_id := self._waiting_run()) is None:
            yield LOOK_S
        self._load.width -= QUEUED
        disk = self._yard.small_disk(run_id)
        while self._record(run_id)["epoch"] < 1:
            yield LOOK_S
        self._struck("disk", [], gone=True)
        disk.fill()
        yield FULL_S
        disk.make_room()
        while (status := self._record(run_id)["status"]) not in SETTLED:  # or is not mirrored yet
            yield LOOK_S
        if status == "failed":
            self._load.wishes.resume_failed(run_id)

    def _cut(self) -> Course:
        """Cut the second host off; its worker must not be missed, nor do harm when it is back."""
        host, remote = self._yard.host, self._yard.remote
        assert host
        assert remote
        worker, mark = yield from self._training([remote])
        worker.is_spared = True
        self._struck("cut", [mark], gone=True)
        host.cut()
        yield self._longer_than_the_lease()
        host.join()
        worker.is_spared = False

    def _training(self, workers: list[Worker]) -> Generator[float, None, tuple[Worker, Mark]]:
        """Wait for one of the workers that trains and is spared nothing else."""
        while True:
            by_pid = {mark.pid: mark for mark in newest_marks(self._yard.steps, LIVELY_S)}
            found = []
            for worker in workers:
                children = [] if worker.is_spared else worker.children()
                found += [(worker, by_pid[one.pid]) for one in children if one.pid in by_pid]
            if found:
                return self._chance.choice(found)
            yield LOOK_S

    def _struck(self, kind: str, marks: list[Mark], *, gone: bool) -> None:
        strike = Strike(
            kind=kind,
            at=time.monotonic(),
            runs=tuple(mark.run for mark in marks),
            gone=tuple(mark.child for mark in marks) if gone else (),
        )
        self.strikes.append(strike)
        with (self._yard.plan.folder / "strikes.jsonl").open("a") as file:
            file.write(f"{json.dumps(asdict(strike))}\n")

    def _longer_than_the_lease(self) -> float:
        return self._yard.plan.lease_s * self._chance.uniform(1.3, 1.8)

    def _waiting_run(self) -> str | None:
        for number, run_id in reversed(list(enumerate(list(self._load.accepted)))):
            record = self._record(run_id)
            if wish_of(number) is None and record["status"] == "queued" and record["fence"] == 0:
                return run_id
        return None

    def _record(self, run_id: str) -> dict[str, Any]:
        """The run as storage shows it: it can be read while Redis is away."""
        return read_json(self._yard.storage.run(run_id).record)


def _drain(worker: Worker) -> None:
    worker.is_spared = True  # until it has ended and is started anew
    worker.drain()

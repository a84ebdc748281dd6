"""Use cases of the cluster as a whole: its queues and its workers."""

from dataclasses import dataclass

from trainyard.errors import NotFound
from trainyard.scheduling.waiting import Reason, reason_to_wait
from trainyard.scheduling.wake_ups import INGEST_QUEUE, TASKS
from trainyard.store.processes.worker_record import WorkerState
from trainyard.store.processes.workers import WorkerStore
from trainyard.store.runs.queues import QueueStore, Share, Waiters
from trainyard.store.runs.run_store import FINISH_QUEUE


@dataclass(frozen=True, kw_only=True)
class ProjectWaiting:
    """What waits of a project in a queue, and why its first does."""

    share: Share
    reason: Reason


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """A queue: the workers that serve it, how many of them have nothing to do, and what waits."""

    name: str
    workers: list[str]
    idle: int
    in_work: list[str]
    waiting: int
    projects: list[ProjectWaiting]


class ClusterService:
    """Who is there, what runs, what waits and why."""

    def __init__(self, queues: QueueStore, workers: WorkerStore) -> None:
        self._queues = queues
        self._workers = workers

    def workers(self) -> list[WorkerState]:
        """Those that have given a sign of life lately, by id."""
        return self._workers.all()

    def drain(self, worker_id: str) -> WorkerState:
        """Have a worker take nothing new; what it has in work it ends. Raises NotFound."""
        return self._after(worker_id, is_there=self._workers.drain(worker_id))

    def end_drain(self, worker_id: str) -> WorkerState:
        """Let a worker take work again; raises NotFound."""
        return self._after(worker_id, is_there=self._workers.end_drain(worker_id))

    def _after(self, worker_id: str, *, is_there: bool) -> WorkerState:
        found = {one.id: one for one in self._workers.all()}.get(worker_id) if is_there else None
        if found is None:
            raise NotFound(
                f"No worker {worker_id[:100]!r} is there.",
                errors={"worker_id": [one.id for one in self._workers.all()]},
            )
        return found

    def queues(self) -> list[QueueState]:
        """Every queue, whether or not anything waits in it."""
        workers = self._workers.all()
        return [
            _queue_state(name, [one for one in workers if name in one.queues], self._waiters(name))
            for name in sorted((*TASKS, FINISH_QUEUE))
        ]

    def _waiters(self, queue: str) -> Waiters:
        if queue == INGEST_QUEUE:
            return self._queues.waiting_datasets(queue)
        if queue == FINISH_QUEUE:
            return self._queues.waiting_to_finish(queue)
        return self._queues.waiting_runs(queue)


def _queue_state(name: str, serving: list[WorkerState], waiters: Waiters) -> QueueState:
    works_on = [worker.finishing if name == FINISH_QUEUE else worker.holds for worker in serving]
    in_work = [record_id for record_id in works_on if record_id]
    idle = len(serving) - len(in_work)
    projects = [
        ProjectWaiting(
            share=share,
            reason=reason_to_wait(
                must_wait=waiters.must_wait,
                is_over_limit=share.is_over_limit,
                position=1,
                serving=len(serving),
                idle=idle,
            ),
        )
        for share in waiters.shares
    ]
    return QueueState(
        name=name,
        workers=[worker.id for worker in serving],
        idle=idle,
        in_work=in_work,
        waiting=sum(share.waiting for share in waiters.shares),
        projects=projects,
    )

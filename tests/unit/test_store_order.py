"""The store under any order of calls: one holder, growing fences, each run in one place, true indexes."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.records import LIFE, RULES, a_run, claim, renew
from trainyard.runs import ACTIVE, TRANSITIONS, Run, RunStatus
from trainyard.store import keys
from trainyard.store.connection import Client, connect
from trainyard.store.live import LiveStore
from trainyard.store.records import RecordStore

PROJECTS = ("a", "b")
ENDS = (RunStatus.COMPLETED, RunStatus.STOPPED, RunStatus.FAILED)


@pytest.fixture
def client(redis_url: str) -> Iterator[Client]:
    client = connect(redis_url)
    yield client
    client.close()


class StoreMachine(RuleBasedStateMachine):
    """Clients and workers at once; the model is what each claim returned."""

    client: Client

    @initialize()
    def begin(self) -> None:
        self.client.flushall()
        self.store = RecordStore(self.client, "run", Run)
        self.live = LiveStore(self.client)
        self.holders: dict[str, Run] = {}
        self.former: list[Run] = []
        self.fences: dict[str, int] = {}
        self.revisions: dict[str, int] = {}
        self.statuses: dict[str, RunStatus] = {}

    @rule(number=st.integers(0, 5), project=st.sampled_from(PROJECTS), priority=st.integers(0, 9))
    def submit(self, number: int, project: str, priority: int) -> None:
        run = a_run(number, project=project, priority=priority)
        created, stored = self.store.submit(run, run.id, RunStatus.QUEUED)
        assert created == (run.id not in self.statuses)
        if created:
            self.statuses[run.id] = RunStatus.QUEUED
        assert stored.status == self.statuses[run.id]

    @rule(owner=st.sampled_from(["x", "y"]))
    def claim(self, owner: str) -> None:
        waiting = [run_id for run_id, status in self.statuses.items() if status == RunStatus.QUEUED]
        run = claim(self.store, owner)
        assert (run is None) == (not waiting)
        if run:
            assert run.id in waiting
            best = max(self._get(run_id).priority for run_id in waiting)
            assert run.priority == best
            assert run.fence > self.fences.get(run.id, 0)
            assert run.owner == owner
            self.fences[run.id] = run.fence
            self.holders[run.id] = run
            self.statuses[run.id] = RunStatus.RUNNING

    @precondition(lambda self: self.holders)
    @rule(data=st.data(), end=st.sampled_from(ENDS))
    def finish(self, data: st.DataObject, end: RunStatus) -> None:
        held = self._held(data)
        assert self.store.finish(held.id, held.fence, held.owner or "", end, {"epoch": 4})
        self._left(held, end)

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        held = self._held(data)
        assert self.store.release(held.id, held.fence, held.owner or "", RunStatus.QUEUED)
        self._left(held, RunStatus.QUEUED)

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        assert renew(self.store, self._held(data)) is not None

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        held = self._held(data)
        assert self.store.crash(held.id, held.fence, held.owner or "", LIFE, RULES, {"code": "c"})
        self._lost(held)

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def lapse(self, data: st.DataObject) -> None:
        held = self._held(data)
        self.client.zadd("ty:leases:run", {held.id: 0})
        assert self.store.reap(LIFE, RULES, {"code": "worker_lost"}) == [held.id]
        self._lost(held)

    @precondition(lambda self: self.holders)
    @rule(data=st.data(), epoch=st.integers(0, 99))
    def update(self, data: st.DataObject, epoch: int) -> None:
        held = self._held(data)
        found = self.store.update(held.id, held.fence, held.owner or "", {"epoch": epoch})
        assert found
        assert found.epoch == epoch

    @precondition(lambda self: self.holders)
    @rule(data=st.data(), epoch=st.integers(0, 99))
    def commit(self, data: st.DataObject, epoch: int) -> None:
        held = self._held(data)
        files = {
            "last": {"file": f"{held.fence}/{epoch}", "epoch": epoch, "step": 9, "bytes": 1, "sha256": "a"}
        }
        found = self.store.commit(held.id, held.fence, held.owner or "", files, epoch, 9)
        assert found
        assert (found.epoch, found.step, found.checkpoints["last"].file) == (
            epoch,
            9,
            f"{held.fence}/{epoch}",
        )

    @precondition(lambda self: self.former)
    @rule(data=st.data())
    def a_former_holder_may_not_write(self, data: st.DataObject) -> None:
        lost = data.draw(st.sampled_from(self.former))
        before = self._get(lost.id)
        assert self.store.update(lost.id, lost.fence, lost.owner or "", {"epoch": 77}) is None
        assert self.store.finish(lost.id, lost.fence, lost.owner or "", RunStatus.FAILED, {}) is None
        assert self.store.release(lost.id, lost.fence, lost.owner or "", RunStatus.QUEUED) is None
        assert self.store.crash(lost.id, lost.fence, lost.owner or "", LIFE, RULES, {}) is None
        assert self.store.commit(lost.id, lost.fence, lost.owner or "", {}, 77, 77) is None
        assert renew(self.store, lost) is None
        assert self._get(lost.id) == before

    @rule(number=st.integers(0, 5), when=st.sampled_from(["now", "epoch"]))
    def stop(self, number: int, when: str) -> None:
        run_id = a_run(number).id
        outcome, _ = self.live.stop(run_id, when)
        status = self.statuses.get(run_id)
        expected = {None: "missing", RunStatus.QUEUED: "ended", RunStatus.RUNNING: "signalled"}
        assert outcome == expected.get(status, "ok" if status == RunStatus.STOPPED else "refused")
        if outcome == "ended":
            self.statuses[run_id] = RunStatus.STOPPED

    @rule(number=st.integers(0, 5), epochs=st.integers(1, 50))
    def retarget(self, number: int, epochs: int) -> None:
        run_id = a_run(number).id
        outcome, _ = self.live.retarget(run_id, epochs)
        status = self.statuses.get(run_id)
        expected = {None: "missing", RunStatus.QUEUED: "ok", RunStatus.RUNNING: "signalled"}
        assert outcome == expected.get(status, "refused")
        if outcome in ("ok", "signalled"):
            assert self._get(run_id).epochs == epochs

    @rule(number=st.integers(0, 5), priority=st.integers(0, 9))
    def amend(self, number: int, priority: int) -> None:
        run_id = a_run(number).id
        found = self.store.amend(run_id, {"priority": priority})
        assert (found is None) == (run_id not in self.statuses)

    @invariant()
    def each_run_is_in_one_place(self) -> None:
        queued = set(self.client.zrange(keys.queue("train"), 0, -1))
        assert queued == {i for i, status in self.statuses.items() if status == RunStatus.QUEUED}
        assert set(self.client.zrange(keys.leases("run"), 0, -1)) == set(self.holders)
        for run_id, status in self.statuses.items():
            run = self._get(run_id)
            assert run.status == status
            assert (run.owner is not None) == (status == RunStatus.RUNNING)
            assert (run.ended_at is not None) == (status not in ACTIVE)
            assert (run_id in self.holders) == (status == RunStatus.RUNNING)

    @invariant()
    def every_attempt_is_remembered(self) -> None:
        for run_id in self.statuses:
            run = self._get(run_id)
            assert [one.attempt for one in run.attempts] == list(range(1, run.fence + 1))
            ended = [one.reason is not None and one.ended_at is not None for one in run.attempts]
            assert ended == [True] * (run.fence - (run_id in self.holders)) + [False] * (
                run_id in self.holders
            )

    @invariant()
    def revisions_grow(self) -> None:
        for run_id in self.statuses:
            revision = self._get(run_id).revision
            assert revision >= self.revisions.get(run_id, 1)
            self.revisions[run_id] = revision

    @invariant()
    def indexes_agree_with_the_records(self) -> None:
        runs = [self._get(run_id) for run_id in self.statuses]
        for project in (None, *PROJECTS):
            for status in (None, *RunStatus):
                listed = {run.id for run in self.store.page(status, project, None, 100).items}
                wanted = {r.id for r in runs if status in (None, r.status) and project in (None, r.project)}
                assert listed == wanted

    def _get(self, run_id: str) -> Run:
        run = self.store.get(run_id)
        assert run
        return run

    def _held(self, data: st.DataObject) -> Run:
        return self.holders[data.draw(st.sampled_from(sorted(self.holders)))]

    def _lost(self, held: Run) -> None:
        """It waits again, or has been lost too often."""
        crashes = self._get(held.id).crashes
        self._left(held, RunStatus.FAILED if crashes >= RULES.max_crashes else RunStatus.QUEUED)

    def _left(self, held: Run, status: RunStatus) -> None:
        assert status in TRANSITIONS[RunStatus.RUNNING]
        self.former.append(self.holders.pop(held.id))
        self.statuses[held.id] = status


def test_any_order_of_calls(client: Client) -> None:
    StoreMachine.client = client
    machine = StoreMachine.TestCase
    machine.settings = settings(
        max_examples=25,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    machine().runTest()

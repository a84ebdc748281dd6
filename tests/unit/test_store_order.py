"""The store under any order of calls: one holder, growing fences, each run in one place, true indexes."""

from collections import Counter
from typing import Literal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.records import LIFE, RULES, a_run, claim, renew
from trainyard.runs.record import ACTIVE, TRANSITIONS, Run, RunStatus
from trainyard.store import keys
from trainyard.store.connection import Client
from trainyard.store.known import KnownRecords
from trainyard.store.runs.queues import QueueStore
from trainyard.store.runs.run_store import RunStore
from trainyard.store.runs.run_streams import LiveStore

PROJECTS = ("a", "b", "c")
LIMIT = 3
"""Runs of a project at once, where it has no limit of its own."""
ENDS = (RunStatus.COMPLETED, RunStatus.STOPPED, RunStatus.FAILED)


class StoreMachine(RuleBasedStateMachine):
    """Clients and workers at once; the model is what each claim returned."""

    client: Client

    @initialize()
    def begin(self) -> None:
        self.client.flushall()
        self.store = RunStore(self.client)
        self.live = LiveStore(self.client)
        self.known = KnownRecords(self.client, "run", self.store.codec)
        self.client.hset(keys.record("dataset", a_run(0).dataset_id), "status", "ready")
        self.cancelled: set[str] = set()
        self.holders: dict[str, Run] = {}
        self.former: list[Run] = []
        self.fences: dict[str, int] = {}
        self.revisions: dict[str, int] = {}
        self.statuses: dict[str, RunStatus] = {}

    @rule(number=st.integers(0, 7), project=st.sampled_from(PROJECTS), priority=st.integers(0, 9))
    def submit(self, number: int, project: str, priority: int) -> None:
        run = a_run(number, project=project, priority=priority)
        created, stored = self.store.submit(run, run.id, RunStatus.QUEUED)
        assert created == (run.id not in self.statuses)
        if created:
            self.statuses[run.id] = RunStatus.QUEUED
        assert stored.status == self.statuses[run.id]

    @rule(owner=st.sampled_from(["x", "y"]))
    def claim(self, owner: str) -> None:
        expected = self._order()
        eligible = [run_id for run_id, is_over_limit in expected if not is_over_limit]
        run = claim(self.store, owner, LIMIT)
        assert (run is None) == (not eligible)
        if run:
            assert run.id == eligible[0]
            assert not run.interrupted
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

    @rule(number=st.integers(0, 7), when=st.sampled_from(["now", "epoch"]))
    def stop(self, number: int, when: str) -> None:
        run_id = a_run(number).id
        outcome, _ = self.live.stop(run_id, when)
        status = self.statuses.get(run_id)
        expected = {None: "missing", RunStatus.QUEUED: "ended", RunStatus.RUNNING: "signalled"}
        assert outcome == expected.get(status, "ok" if status == RunStatus.STOPPED else "refused")
        if outcome == "ended":
            self.statuses[run_id] = RunStatus.STOPPED

    @rule(number=st.integers(0, 5))
    def cancel(self, number: int) -> None:
        run_id = a_run(number).id
        outcome, _ = self.store.cancel(run_id)
        status = self.statuses.get(run_id)
        expected = {None: "missing", RunStatus.QUEUED: "ended", RunStatus.RUNNING: "signalled"}
        assert outcome == expected.get(status, "ok" if status == RunStatus.CANCELLED else "refused")
        if outcome == "ended":
            self.statuses[run_id] = RunStatus.CANCELLED
        if outcome == "signalled":
            assert self.live.signals(run_id).cancel
            self.cancelled.add(run_id)

    @rule(number=st.integers(0, 5), epochs=st.none() | st.integers(1, 50))
    def resume(self, number: int, epochs: int | None) -> None:
        run_id = a_run(number).id
        before = self.store.get(run_id)
        outcome, _ = self.store.resume(run_id, epochs)
        if before and before.status == RunStatus.COMPLETED:
            assert outcome == ("queued" if (epochs or 0) > before.epoch else "reached")
        elif before and before.status in (RunStatus.STOPPED, RunStatus.FAILED):
            assert outcome == "queued"
        elif before and before.status in ACTIVE:
            is_same = before.reopened_by == "resume" and epochs in (None, before.epochs)
            assert outcome == ("ok" if is_same else "refused")
        else:
            assert outcome == ("refused" if before else "missing")
        if outcome == "queued" and before:
            self._reopened(before)
            assert self._get(run_id).epochs == (epochs or before.epochs)

    @rule(number=st.integers(0, 5))
    def retry(self, number: int) -> None:
        run_id = a_run(number).id
        before = self.store.get(run_id)
        outcome, _ = self.store.retry(run_id)
        if before and before.status in ACTIVE:
            assert outcome == ("ok" if before.reopened_by == "retry" else "refused")
        else:
            has_failed = before and before.status == RunStatus.FAILED
            assert outcome == ("queued" if has_failed else "refused" if before else "missing")
        if outcome == "queued" and before:
            self._reopened(before)
            assert self._get(run_id).checkpoints == {}

    @rule(number=st.integers(0, 5))
    def remove(self, number: int) -> None:
        run_id = a_run(number).id
        outcome, _ = self.store.remove(run_id)
        status = self.statuses.get(run_id)
        if status is None:
            assert outcome == ("ok" if self.store.was_removed(run_id) else "missing")
        else:
            assert outcome == ("refused" if status in ACTIVE else "ok")
        if outcome == "ok":
            self.statuses.pop(run_id, None)
            self.revisions.pop(run_id, None)
            self.fences.pop(run_id, None)
            self.former = [lost for lost in self.former if lost.id != run_id]

    @rule(number=st.integers(0, 5), epochs=st.integers(1, 50))
    def retarget(self, number: int, epochs: int) -> None:
        run_id = a_run(number).id
        outcome, _ = self.live.retarget(run_id, epochs)
        status = self.statuses.get(run_id)
        expected = {None: "missing", RunStatus.QUEUED: "ok", RunStatus.RUNNING: "signalled"}
        assert outcome == expected.get(status, "refused")
        if outcome in ("ok", "signalled"):
            assert self._get(run_id).epochs == epochs

    @rule(number=st.integers(0, 7), priority=st.integers(0, 9))
    def edit(self, number: int, priority: int) -> None:
        run_id = a_run(number).id
        found = self.store.edit(run_id, {"priority": priority})
        assert (found is None) == (run_id not in self.statuses)

    @rule(number=st.integers(0, 7))
    def move_to_front(self, number: int) -> None:
        run_id = a_run(number).id
        outcome, _ = self.live.move_to_front(run_id)
        status = self.statuses.get(run_id)
        assert outcome == {None: "missing", RunStatus.QUEUED: "ok"}.get(status, "refused")
        if outcome == "ok":
            moved = self._get(run_id)
            peers = [self._get(one) for one, state in self.statuses.items() if state == RunStatus.QUEUED]
            assert _turn(moved) == min(
                _turn(p) for p in peers if _band(p) == _band(moved) and _same(p, moved)
            )

    @rule(number=st.integers(0, 7), other=st.integers(0, 7), step=st.sampled_from((-1, 1)))
    def move_beside(self, number: int, other: int, step: Literal[-1, 1]) -> None:
        ids = [a_run(one).id for one in (number, other)]
        before = self._in_turn(ids[0])
        outcome, _ = self.live.move_beside(*ids, step)
        status = self.statuses.get(ids[0])
        if status != RunStatus.QUEUED:
            assert outcome == ("missing" if status is None else "refused")
            return
        expected = [one for one in before if one != ids[0]]
        if ids[0] == ids[1] or ids[1] not in expected:
            assert (outcome, self._in_turn(ids[0])) == ("apart", before)
            return
        expected.insert(expected.index(ids[1]) + (step > 0), ids[0])
        assert (outcome, self._in_turn(ids[0])) == ("ok", expected)

    def _in_turn(self, run_id: str) -> list[str]:
        """The queued runs among which it can be moved, in the order in which they would be claimed."""
        queued = [self._get(one) for one, state in self.statuses.items() if state == RunStatus.QUEUED]
        moved = next((one for one in queued if one.id == run_id), None)
        peers = [one for one in queued if moved and _band(one) == _band(moved) and _same(one, moved)]
        return [one.id for one in sorted(peers, key=_turn)]

    @rule(project=st.sampled_from(PROJECTS), limit=st.integers(0, 2))
    def limit(self, project: str, limit: int) -> None:
        self.client.hset(keys.limits("run"), project, limit or "")

    @invariant()
    def positions_are_the_order_of_claims(self) -> None:
        queues = QueueStore(self.client, RULES, LIMIT)
        found = {run_id: queues.queue_position(run_id) for run_id in self.statuses}
        expected = self._order()
        assert {i for i, queue_position in found.items() if queue_position} == {
            run_id for run_id, _ in expected
        }
        for position, (run_id, is_over_limit) in enumerate(expected, start=1):
            assert (found[run_id].position, found[run_id].is_over_limit) == (position, is_over_limit)

    @invariant()
    def each_project_of_a_queue_is_known(self) -> None:
        waiting = Counter(
            self._get(run_id).project
            for run_id, status in self.statuses.items()
            if status == RunStatus.QUEUED
        )
        shares = QueueStore(self.client, RULES, LIMIT).waiting_runs("train").shares
        assert {share.project: share.waiting for share in shares} == waiting

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
    def what_a_process_knows_of_a_run_is_how_it_stands(self) -> None:
        """A change that leaves the revision as it was would not be seen in lists."""
        assert self.known.read([*self.statuses]) == [self._get(run_id) for run_id in self.statuses]

    @invariant()
    def indexes_agree_with_the_records(self) -> None:
        runs = [self._get(run_id) for run_id in self.statuses]
        for project in (None, *PROJECTS):
            for status in (None, *RunStatus):
                listed = {run.id for run in self.store.page(status, project, None, 100).items}
                wanted = {r.id for r in runs if status in (None, r.status) and project in (None, r.project)}
                assert listed == wanted

    def _order(self) -> list[tuple[str, bool]]:
        """The queued runs as the rules order them, told by claim after claim; whether each is held up.

        First with the limits, then what they hold up without them.
        """
        waiting = [self._get(i) for i, status in self.statuses.items() if status == RunStatus.QUEUED]
        running = Counter(held.project for held in self.holders.values())
        texts = self.client.hgetall(keys.limits("run"))
        limits = {project: int(texts.get(project) or LIMIT) or 99 for project in PROJECTS}
        order, in_work = [], running.copy()
        while free := [run for run in waiting if in_work[run.project] < limits[run.project]]:
            run = min(free, key=lambda run: (*_band(run), in_work[run.project], *_turn(run)))
            in_work[run.project] += 1
            waiting.remove(run)
            order.append((run.id, False))
        while waiting:
            run = min(waiting, key=lambda run: (*_band(run), in_work[run.project], *_turn(run)))
            in_work[run.project] += 1
            waiting.remove(run)
            order.append((run.id, True))
        return order

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

    def _reopened(self, before: Run) -> None:
        """It waits, with nothing left of how it ended and of what was wished of it."""
        assert RunStatus.QUEUED in TRANSITIONS[before.status]
        run, signals = self._get(before.id), self.live.signals(before.id)
        assert (run.crashes, run.error, run.result, run.fence) == (0, None, None, before.fence)
        assert (signals.stop, signals.epochs, signals.cancel) == (None, None, False)
        self.statuses[run.id] = RunStatus.QUEUED

    def _left(self, held: Run, status: RunStatus) -> None:
        """Whoever lets go of a cancelled run ends it."""
        assert status in TRANSITIONS[RunStatus.RUNNING]
        if held.id in self.cancelled:
            self.cancelled.discard(held.id)
            status = RunStatus.CANCELLED
        self.former.append(self.holders.pop(held.id))
        self.statuses[held.id] = status


def _band(run: Run) -> tuple[bool, int]:
    return (not run.interrupted, -run.priority)


def _turn(run: Run) -> tuple[int, str]:
    return (round((run.place or run.created_at) * 1e6), run.id)


def _same(a: Run, b: Run) -> bool:
    return a.project == b.project


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

"""Lists of runs: every filter and order against a plain form, page after page, and what keeps the indexes."""

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.records import LIFE, RULES, SPEC, a_run
from trainyard.runs.record import MetricSummary, Run, RunStatus
from trainyard.store import keys
from trainyard.store.connection import Client, run_script
from trainyard.store.runs import run_lists
from trainyard.store.runs.run_lists import RunLists, RunQuery
from trainyard.store.runs.run_store import RunStore

COUNT = 40
PROJECTS, GROUPS, TAGS = ("a", "b:c"), (None, "sweep", "ablation é"), ("baseline", "v2", "Été")
ARCHITECTURES = ("Unet", "FPN")
STATUSES = tuple(RunStatus)


@pytest.fixture
def lists(client: Client, store: RunStore) -> RunLists:
    return RunLists(client, store.codec)


def summary(value: float) -> MetricSummary:
    return MetricSummary(best=value, best_epoch=1, last=value / 2, last_epoch=2)


def drawn_run(number: int, draw: random.Random) -> Run:
    """A run with something of everything; every third lacks metrics, and values repeat."""
    model = replace(SPEC.model, architecture=draw.choice(ARCHITECTURES))
    has_ended = draw.random() < 0.7
    return a_run(
        number,
        project=draw.choice(PROJECTS),
        name=f"Run {number} {draw.choice(['straße', 'tiles', 'ÉTÉ'])}",
        notes=draw.choice(["", "learning rate halved\n50 % of it"]),
        group=draw.choice(GROUPS),
        tags=tuple(sorted(draw.sample(TAGS, draw.randint(0, 3)))),
        dataset_id=f"ds-{draw.randint(0, 2):012x}",
        spec=replace(SPEC, model=model),
        status=draw.choice(STATUSES),
        revision=3,
        created_at=1.7e9 + number,
        started_at=1.7e9 + draw.randint(100, 200) if has_ended else None,
        ended_at=1.7e9 + draw.randint(200, 250) if has_ended else None,
        metrics={} if number % 3 == 0 else {"val_miou": summary(draw.randint(0, 9) / 10)},
    )


@pytest.fixture
def runs(store: RunStore) -> list[Run]:
    draw = random.Random(0)
    made = [drawn_run(number, draw) for number in range(COUNT)]
    for run in made:
        assert store.restore({run.id: run}, LIFE, RULES)[0] in ("restored", "interrupted")
    return [found for run in made if (found := store.get(run.id))]


def expected(runs: list[Run], query: RunQuery) -> list[str]:
    """Ids as the query says, by looking at every run."""
    found = [run for run in runs if is_wanted(run, query)]
    valued = [run for run in found if value(run, query.sort) is not None]
    valued.sort(key=lambda run: (value(run, query.sort), run.id), reverse=query.descending)
    rest = [run for run in found if value(run, query.sort) is None]
    rest.sort(key=lambda run: (run.created_at, run.id), reverse=True)
    return [run.id for run in [*valued, *rest]]


def is_wanted(run: Run, query: RunQuery) -> bool:
    texts = [run.id, run.name, run.notes, run.group or "", *run.tags]
    return (
        (not query.statuses or run.status in query.statuses)
        and query.project in (None, run.project)
        and query.architecture in (None, run.spec.model.architecture)
        and query.task in (None, run.spec.model.task)
        and query.dataset_id in (None, run.dataset_id)
        and query.group in (None, run.group)
        and set(query.tags) <= set(run.tags)
        and (query.created_after is None or run.created_at > query.created_after)
        and (query.created_before is None or run.created_at < query.created_before)
        and (query.text is None or any(query.text.casefold() in text.casefold() for text in texts))
    )


def value(run: Run, sort: str) -> Any:
    which, _, metric = sort.partition(".")
    if not metric:
        return getattr(run, sort)
    found = run.metrics.get(metric)
    return getattr(found, which) if found else None


def listed(lists: RunLists, query: RunQuery) -> list[str]:
    """All pages."""
    found: list[str] = []
    while True:
        page = lists.page(query)
        found += [run.id for run in page.readable]
        if page.next_cursor is None:
            return found
        assert len(page.items) == query.limit
        query = replace(query, cursor=page.next_cursor)


FILTERS: list[dict[str, Any]] = [
    {},
    {"statuses": ("completed", "failed")},
    {"statuses": ("queued",), "project": "a"},
    {"project": "b:c", "architecture": "FPN"},
    {"dataset_id": "ds-000000000001", "group": "ablation é"},
    {"tags": ("Été", "v2")},
    {"created_after": 1.7e9 + 10, "created_before": 1.7e9 + 45},
    {"created_after": 1.7e9 + 20, "task": "multiclass", "project": "a"},
    {"text": "STRASSE"},
    {"text": "été", "statuses": tuple(STATUSES)},
    {"text": "50 % of", "project": "a"},
    {"text": "000000000a"},
    {"project": "none such"},
    {"task": "binary"},
]
SORTS = ("created_at", "started_at", "ended_at", "best.val_miou", "last.val_miou", "best.val_loss")


@pytest.mark.parametrize(("limit", "budget"), [(5, 7), (50, 1000)])
def test_every_filter_and_order(
    lists: RunLists, runs: list[Run], monkeypatch: pytest.MonkeyPatch, limit: int, budget: int
):
    monkeypatch.setattr(run_lists, "BUDGET", budget)
    orders = list(itertools.product(SORTS, (True, False)))
    draw = random.Random(1)
    for filters in FILTERS:
        for sort, descending in draw.sample(orders, 4) if filters else orders:
            query = RunQuery(**filters, sort=sort, descending=descending, limit=limit)
            assert listed(lists, query) == expected(runs, query), query


def test_few_of_many_are_gathered_and_not_walked_to(lists: RunLists, store: RunStore, client: Client):
    """Both ways give the same: a group of three among forty, and everything but three."""
    made = [a_run(n, created_at=1.7e9 + n, revision=2, group="few" if n % 13 == 7 else "many",
                  metrics={"val_miou": summary(n % 5 / 10)}) for n in range(COUNT)]  # fmt: skip
    for run in made:
        store.restore({run.id: run}, LIFE, RULES)
    for group, limit, sort in itertools.product(("few", "many"), (2, 60), SORTS[-3:]):
        query = RunQuery(group=group, limit=limit, sort=sort)
        assert listed(lists, query) == expected(made, query), query


def test_a_list_goes_on_after_a_run_that_is_gone_or_has_moved(
    lists: RunLists, store: RunStore, runs: list[Run]
):
    query = RunQuery(sort="best.val_miou", limit=20)
    first = lists.page(query)
    last = first.readable[-1]
    store.edit(last.id, {"metrics": {"val_miou": {"best": 5.0, "best_epoch": 1, "last": 1, "last_epoch": 1}}})
    rest = listed(lists, replace(query, cursor=first.next_cursor))
    assert [run.id for run in first.readable] + rest == expected(runs, query)
    removed = next(run for run in first.readable[::-1] if store.remove(run.id)[0] == "ok")
    assert removed.id not in listed(lists, query)


def members(client: Client) -> dict[str, set[str]]:
    """Every index of runs by its key, with its runs; the empty ones are not there."""
    return {
        key: set(client.zrange(key, 0, -1))
        for pattern in ("ty:run:by:*", "ty:run:sorted:*")
        for key in client.scan_iter(pattern)
    }


def test_what_changes_leaves_the_indexes_it_was_in(client: Client, store: RunStore):
    run = a_run(1, tags=("old",), group="g", metrics={"val_loss": summary(1.0)}, revision=2, ended_at=5.0,
                status=RunStatus.COMPLETED)  # fmt: skip
    store.restore({run.id: run}, LIFE, RULES)
    store.edit(run.id, {"tags": ["new", "newer"], "group": None, "metrics": {}})
    found = members(client)
    assert {key for key, ids in found.items() if run.id in ids} == {
        keys.index("run", None, None), keys.index("run", "completed", None), keys.index("run", None, "a"),
        keys.index("run", "completed", "a"), keys.run_facet("dataset", run.dataset_id),
        keys.run_facet("architecture", SPEC.model.architecture), keys.run_facet("task", SPEC.model.task),
        keys.run_facet("tag", "new"), keys.run_facet("tag", "newer"), keys.sorted_runs("ended_at"),
        keys.run_facet("queue", "train:completed"),
    }  # fmt: skip
    store.remove(run.id)
    assert members(client) == {}
    assert not client.keys(f"ty:run:{run.id}:listed")


def test_a_retry_has_no_metrics_of_what_failed(client: Client, store: RunStore):
    run = a_run(1, metrics={"val_loss": summary(1.0)}, best_row={"epoch": 1}, revision=2,
                status=RunStatus.FAILED)  # fmt: skip
    store.restore({run.id: run}, LIFE, RULES)
    client.hset(keys.record("dataset", run.dataset_id), "id", run.dataset_id)
    outcome, again = store.retry(run.id)
    assert outcome == "queued"
    assert again
    assert (again.metrics, again.best_row) == ({}, None)
    assert keys.sorted_runs("best.val_loss") not in members(client)


@pytest.mark.parametrize(
    "text", ["{", "3", '{"val_loss": 3, "val_miou": {"best": null, "last": NaN}}', "[[1]]"]
)
def test_broken_fields_break_no_script(client: Client, store: RunStore, lists: RunLists, text: str):
    run = a_run(1, revision=2)
    store.restore({run.id: run}, LIFE, RULES)
    client.hset(keys.record("run", run.id), mapping={"metrics": text, "tags": text, "created_at": "1.5"})
    assert run_script(client, "cancel", run.id)[0] == "ended"
    client.hset(f"ty:run:{run.id}:listed", "keys", text)
    assert [item.id for item in lists.page(RunQuery()).items] == [run.id]

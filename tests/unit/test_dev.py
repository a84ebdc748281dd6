"""`make dev` wraps what runs our code in a watcher of that code."""

import shlex

import pytest

from deploy.dev import started_anew_on_change


@pytest.mark.parametrize(
    ("name", "command", "sources"),
    [
        ("web", "python -m app", ["app", "trainyard", "configs"]),
        ("worker", "python -m workers train", ["workers", "trainyard", "configs"]),
        ("worker-1", "python -m workers train --gpu 1", ["workers", "trainyard", "configs"]),
    ],
)
def test_code_that_changes_is_watched(name: str, command: str, sources: list[str]):
    wrapped = shlex.split(started_anew_on_change(name, command))
    assert wrapped[1:3] == ["-m", "watchfiles"]
    assert wrapped[-len(sources) - 1 :] == [command, *sources]


@pytest.mark.parametrize("name", ["redis", "flower"])
def test_what_runs_no_code_of_ours_is_left_as_it_is(name: str):
    assert started_anew_on_change(name, "python -m deploy.redis") == "python -m deploy.redis"

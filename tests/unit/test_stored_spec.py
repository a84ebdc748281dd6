"""Stored specs: whatever an earlier or later release left out or put in, they are read."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from tests.fixtures.stored_storage import RELEASES, STORED
from trainyard.errors import InvalidRequest, Unreadable
from trainyard.settings import Settings
from trainyard.spec import training_spec as parts
from trainyard.spec.checks import check_known
from trainyard.spec.experiments import Experiments, load_spec
from trainyard.spec.stored import ABSENT, ADDED, read_spec
from trainyard.spec.training_spec import SPEC_VERSION, LossSpec, TrainingSpec, TransformSpec

EXPERIMENTS = Experiments(Settings().configs)
SPEC = EXPERIMENTS.compose({})
NAMED = {LossSpec: {"name"}, TransformSpec: {"name"}}
"""What an item of a list is nothing without."""


def paths(tree: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every field of JSON data, those of parts and of items of lists included."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in entries:
        if isinstance(tree, dict):
            yield (*above, key)
        yield from paths(value, (*above, key))


def without(tree: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    copied = json.loads(json.dumps(tree))
    del value_at(copied, path[:-1])[path[-1]]
    return copied


def value_at(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


DATA = json.loads(json.dumps(SPEC.to_dict()))
FIELDS = [
    path for path in paths(DATA) if ("params" not in path[:-1] and path[-1] != "name") or "schedule" in path
]


@pytest.mark.parametrize("version", ABSENT)
def test_each_version_says_what_every_absent_field_meant(version: int):
    """A field that is added must be in every table: what did specs mean that lack it?"""
    kinds = [kind for kind in vars(parts).values() if isinstance(kind, type) and is_dataclass(kind)]
    wanted = {kind: {field.name for field in fields(kind)} - NAMED.get(kind, set()) for kind in kinds}
    wanted[TrainingSpec].discard("version")
    assert {kind: set(table) for kind, table in ABSENT[version].items()} == wanted


@pytest.mark.parametrize("path", FIELDS, ids=lambda path: ".".join(map(str, path)))
def test_a_spec_that_lacks_a_field_is_read(path: tuple[Any, ...]):
    found = read_spec(without(DATA, path))
    assert found.to_dict().keys() == DATA.keys()
    whole = load_spec(found.to_dict())
    assert whole == found, "what was filled in is valid"
    if path[0] != "augmentation":
        assert found == SPEC, "the defaults of this version are those of its table"


def test_an_empty_spec_is_read():
    assert replace(read_spec({"version": SPEC_VERSION}), augmentation=SPEC.augmentation) == SPEC


@pytest.mark.parametrize("data", [{}, {"version": 1}, {"version": 2}])
def test_runs_from_before_the_worker_chose_loaders_have_none(data: dict[str, Any]):
    assert read_spec(data).data.loader_workers == 0


@pytest.mark.parametrize("path", [(), ("data",), ("optimization", "schedule"), ("optimization", "losses", 0)])
def test_what_is_not_known_is_left_out(path: tuple[Any, ...]):
    data = json.loads(json.dumps(DATA))
    at: Any = data
    for key in path:
        at = at[key]
    at["of_tomorrow"] = {"x": 1}
    assert read_spec(data) == SPEC


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("model", "encoder", "resnet-of-yesterday"),
        ("model", "architecture", "NetOfYesterday"),
        ("data", "batch_size", 5000),
        ("data", "fit", "squeeze"),
        ("optimization", "optimizer", "gone"),
        ("optimization", "losses", [{"name": "gone", "weight": 1.0, "params": {}}]),
        ("checkpoints", "monitor", "val_of_yesterday"),
        ("augmentation", "transforms", [{"name": "Gone", "params": {"p": 1}}]),
    ],
)
def test_names_and_ranges_of_today_are_no_matter(part: str, field: str, value: Any):
    data = {**DATA, part: {**DATA[part], field: value}}
    assert read_spec(data).to_dict()[part][field] == value
    with pytest.raises(InvalidRequest):
        load_spec(data)


def test_a_version_is_written_and_read():
    assert max(ABSENT) == SPEC_VERSION
    assert read_spec({**DATA, "version": 1}) == SPEC
    assert load_spec({key: value for key, value in DATA.items() if key != "version"}) == SPEC


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        ({"data": {"loader_workers": 0}}, 1),
        ({"data": {"loader_workers": 0, "val_every_epochs": 2}}, 2),
        ({}, 3),
        ({"data": {"val_max_images": 5}}, 3),
        ({"task": "classification"}, 5),
        ({"augmentation": {"mixup_alpha": 0.2}, "task": "classification"}, 5),
        ({"task": "detection"}, 6),
        ({"augmentation": {"min_visibility": 0.5}}, 6),
        ({"augmentation": {"device": "training"}}, 7),
    ],
)
def test_a_spec_bears_the_version_of_the_first_release_that_understands_it(
    changes: dict[str, Any], version: int
):
    """Workers of that release train it while newer ones are started one by one."""
    spec = EXPERIMENTS.compose(changes)
    assert (spec.version, spec.to_dict()["version"]) == (version, version)
    assert read_spec(spec.to_dict()) == spec
    came_later = [names for one, parts in ADDED.items() if one > version for names in parts.items()]
    data = json.loads(json.dumps(spec.to_dict()))
    for part in (data, *(value for value in data.values() if isinstance(value, dict))):
        for _, names in came_later:
            for name in names:
                part.pop(name, None)
    assert read_spec(data) == spec, "a release of that version, which knows no later field, reads the same"


def test_what_came_in_with_a_version_is_there():
    for parts_of_version in ADDED.values():
        for kind, names in parts_of_version.items():
            assert {*names} <= {field.name for field in fields(kind)}
    assert SPEC_VERSION in ADDED


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"version": SPEC_VERSION + 1}, "version"),
        ({"version": [1]}, "version"),
        ("a text", "an object"),
        (None, "an object"),
        ([], "an object"),
        ({"data": "a text"}, "data: an object was expected"),
        ({"data": {"image_size": "64"}}, "data.image_size: a whole number"),
        ({"data": {"image_size": 64.5}}, "data.image_size: a whole number"),
        ({"export": {"onnx": 1}}, "export.onnx: true or false"),
        ({"optimization": {"losses": [{"name": 3}]}}, "optimization.losses.0.name: text"),
        ({"optimization": {"losses": [{"weight": 1.0}]}}, "there is no name"),
        ({"optimization": {"losses": {"dice": 1}}}, "optimization.losses: a list"),
    ],
)
def test_data_of_another_form_are_told_of(data: Any, told: str):
    with pytest.raises(Unreadable, match=told):
        read_spec(data)


def test_a_fork_answers_for_its_changes_only():
    old = replace(SPEC, model=replace(SPEC.model, encoder="resnet-of-yesterday"))
    varied = EXPERIMENTS.vary(old, {"optimization": {"learning_rate": 0.5}})
    assert (varied.model.encoder, varied.optimization.learning_rate) == ("resnet-of-yesterday", 0.5)
    lossy = replace(
        SPEC,
        optimization=replace(SPEC.optimization, losses=[LossSpec(name="gone", weight=1.0, params={})]),
    )
    assert EXPERIMENTS.vary(lossy, {"optimization": {"momentum": 0.5}}).optimization.losses[0].name == "gone"
    assert EXPERIMENTS.vary(lossy, {"augmentation": {"preset": "strong"}}).augmentation.preset == "strong"
    for changes, place in (
        ({"optimization": {"learning_rate": 5.0}}, ["optimization", "learning_rate"]),
        ({"optimization": {"losses": [{"name": "none", "weight": 1.0, "params": {}}]}}, ["optimization"]),
        ({"model": {"encoder": "resnet-of-tomorrow"}}, ["model", "encoder"]),
        ({"model": {"depth": 3}}, ["model", "depth"]),
        ({"export": {"onnx": False, "half": True}}, ["export", "onnx"]),
    ):
        with pytest.raises(InvalidRequest) as refused:
            EXPERIMENTS.vary(old, changes)
        at: Any = refused.value.errors["spec"]
        for key in place:
            at = at[key]


@pytest.mark.parametrize("release", RELEASES)
def test_every_config_that_was_written_is_read(release: str):
    configs = list((STORED / release).glob("runs/*/config.json"))
    assert configs
    for path in configs:
        stored = json.loads(path.read_text())["spec"]
        found = json.loads(json.dumps(read_spec(stored).to_dict()))
        for field in set(paths(stored)) - {("version",)}:
            wanted = value_at(stored, field)
            assert isinstance(wanted, dict) or value_at(found, field) == wanted


@pytest.mark.parametrize(
    "gone",
    [
        {"optimization": {"losses": [{"name": "gone"}]}},
        {"optimization": {"optimizer": "gone"}},
        {"optimization": {"schedule": {"name": "gone"}}},
        {"data": {"fit": "gone"}},
    ],
)
def test_what_this_release_cannot_train_with_is_said(gone: dict[str, Any]):
    with pytest.raises(InvalidRequest, match="This release"):
        check_known(read_spec(gone))

"""Specs composed of a request over an experiment over the defaults."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trainyard.catalog import names as catalog
from trainyard.errors import InvalidRequest
from trainyard.settings import Settings
from trainyard.spec.experiments import CUSTOM, Experiments, load_spec, merge
from trainyard.tasks.registry import forms, losses

CONFIGS = Settings().configs
EXPERIMENTS = Experiments(CONFIGS)
KEYS = st.text("abc", min_size=1, max_size=2)
TREES = st.recursive(
    st.dictionaries(KEYS, st.integers()), lambda inner: st.dictionaries(KEYS, inner | st.integers())
)


@pytest.mark.parametrize("name", EXPERIMENTS.names())
def test_every_shipped_experiment_is_a_complete_spec(name: str):
    spec = EXPERIMENTS.compose({}, name)
    assert load_spec(spec.to_dict()) == spec


OF_ONE_SET = {
    "data.val_fraction",
    "data.split_index",
    "optimization.class_weights",
}
"""Options that mean something for one data set alone."""


def test_the_experiments_use_every_option_between_them():
    defaults = leaves(EXPERIMENTS.compose({}).to_dict())
    used = {
        option
        for name in EXPERIMENTS.names()
        for option, value in leaves(EXPERIMENTS.compose({}, name).to_dict()).items()
        if value != defaults[option]
    }
    assert defaults.keys() - used - {"version"} == OF_ONE_SET | {"export.onnx"}
    chosen = [EXPERIMENTS.compose({}, name) for name in EXPERIMENTS.names()]
    assert {spec.model.task for spec in chosen} == set(forms())
    assert {spec.data.fit for spec in chosen} == set(catalog.FITS)
    assert {spec.optimization.schedule.name for spec in chosen} == {*catalog.SCHEDULES} - {"constant"}
    assert {term.name for spec in chosen for term in spec.optimization.losses} == {*losses()} - {"mcc"}


def leaves(tree: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Every value of a nested mapping by its dotted path."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        nested = isinstance(value, dict)
        found |= leaves(value, f"{above}{key}.") if nested else {f"{above}{key}": value}
    return found


@pytest.mark.parametrize("name", EXPERIMENTS.presets())
def test_every_preset_is_laid_out(name: str):
    spec = EXPERIMENTS.compose({"augmentation": {"preset": name}})
    written = yaml.safe_load((CONFIGS / "augmentation" / f"{name}.yaml").read_text())["transforms"]
    assert [vars(transform) for transform in spec.augmentation.transforms] == written
    assert spec.augmentation.preset == name


def test_the_request_goes_over_the_experiment_and_that_over_the_defaults():
    spec = EXPERIMENTS.compose({"data": {"batch_size": 3}}, "pets-lite0")
    assert spec.data.batch_size == 3
    assert spec.model.encoder_weights == "packaged"
    assert spec.precision == "auto"


def test_transforms_of_ones_own_are_custom():
    transforms = [{"name": "VerticalFlip", "params": {"p": 1.0}}]
    spec = EXPERIMENTS.compose({"augmentation": {"transforms": transforms}})
    assert spec.augmentation.preset == CUSTOM
    assert [vars(transform) for transform in spec.augmentation.transforms] == transforms


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"augmentation": {"preset": "nope"}}, "spec.augmentation.preset"),
        ({"augmentation": {"preset": ["light"]}}, "spec.augmentation.preset"),
        ({"augmentation": {"preset": "../defaults"}}, "spec.augmentation.preset"),
        ({"augmentation": 3}, "spec"),
        ({"model": "Unet"}, "spec"),
        ({"surprise": 1}, "spec"),
        ({"epochs": 2.5}, "spec"),
    ],
)
def test_bad_overrides_are_named(overrides: dict[str, Any], field: str):
    with pytest.raises(InvalidRequest) as found:
        EXPERIMENTS.compose(overrides)
    assert field in found.value.errors


def test_an_unknown_experiment_lists_the_known():
    with pytest.raises(InvalidRequest) as found:
        EXPERIMENTS.compose({}, "nope")
    assert "pets-lite0" in found.value.errors["experiment"][0]


def test_an_architecture_may_insist_on_its_encoders():
    with pytest.raises(InvalidRequest) as found:
        EXPERIMENTS.compose({"model": {"architecture": "DPT"}})
    assert found.value.errors["spec"]["model"]["encoder"] == ["must begin with 'tu-'"]


def test_nothing_in_the_folder_is_no_experiment(tmp_path: Path):
    assert Experiments(tmp_path).names() == []


@given(TREES)
def test_merging_with_nothing_changes_nothing(tree: dict[str, Any]):
    assert merge(tree, {}) == tree
    assert merge({}, tree) == tree
    assert merge(tree, tree) == tree


@given(TREES, TREES)
def test_what_is_laid_over_wins(base: dict[str, Any], over: dict[str, Any]):
    merged = merge(base, over)
    assert merged.keys() == base.keys() | over.keys()
    assert merge(merged, over) == merged
    assert all(merged[key] == value for key, value in over.items() if not isinstance(value, dict))


def test_a_requested_preset_replaces_an_experiments_own_transforms(tmp_path):
    shutil.copytree(CONFIGS, tmp_path / "configs")
    own = "augmentation: {transforms: [{name: VerticalFlip, params: {p: 0.5}}]}\n"
    (tmp_path / "configs" / "experiment" / "own.yaml").write_text(own)
    experiments = Experiments(tmp_path / "configs")
    assert experiments.compose({}, "own").augmentation.preset == "custom"
    chosen = experiments.compose({"augmentation": {"preset": "none"}}, "own").augmentation
    assert (chosen.preset, chosen.transforms) == ("none", [])


def test_a_file_that_changes_is_read_anew(tmp_path: Path):
    (tmp_path / "experiment").mkdir()
    file = tmp_path / "experiment" / "mine.yaml"
    experiments = Experiments(tmp_path)
    file.write_text("epochs: 3\n")
    read = experiments.read("mine")
    read["epochs"] = 9
    assert experiments.read("mine") == {"epochs": 3}, "what is done to an answer is done to no other"
    file.write_text("epochs: 14\n")
    assert experiments.read("mine") == {"epochs": 14}

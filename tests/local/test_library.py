"""Checkpoints, networks and data sets by name; variants of a sweep; Ctrl-C."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader

from tests.local.conftest import SPEC
from trainyard.errors import InvalidModel, InvalidRequest, NotFound
from trainyard_local import DATASETS, MODELS, Checkpoints, Experiment
from trainyard_local.interrupt import Interrupt
from trainyard_local.sweep import read_variants

ENCODER = SPEC["model"]["encoder"]


def test_weights_are_loaded_whole_or_as_far_as_they_fit(trained: Experiment):
    checkpoints = Checkpoints(trained.folder)
    assert checkpoints.names() == ["best", "last"]
    same = checkpoints.load(MODELS.create("Unet", 3, encoder=ENCODER))
    assert same.loaded_layers == same.total_layers
    other = MODELS.create("Unet", 5, encoder=ENCODER)
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    with pytest.raises(InvalidModel, match="layers loaded"):
        checkpoints.load(other)
    assert all(torch.equal(tensor, before[name]) for name, tensor in other.state_dict().items())
    loose = checkpoints.load(other, strict=False)
    assert loose.loaded_layers == loose.total_layers - 1
    with pytest.raises(NotFound, match="no checkpoint '3'"):
        checkpoints.path("3")


def test_networks_and_data_sets_come_by_name(shapes: Path, trained: Experiment):
    runs = trained.folder.parent
    split = DATASETS.create("auto", shapes, "val", spec=SPEC, runs=runs)
    image, mask = next(iter(DataLoader(split, batch_size=2)))
    network = MODELS.create("Unet", 3, encoder=ENCODER)
    assert network(image.permute(0, 3, 1, 2) / 255).shape == (2, 3, *mask.shape[1:])
    assert "Unet" in MODELS.names()
    assert {"auto", "coco"} <= set(DATASETS.names())


@pytest.mark.parametrize(
    "create",
    [
        lambda data, runs: MODELS.create("Unett", 3),
        lambda data, runs: DATASETS.create("cocoo", data, runs=runs),
        lambda data, runs: DATASETS.create("auto", data, "trian", runs=runs),
    ],
)
def test_a_wrong_name_lists_the_right_ones(create: Any, shapes: Path, trained: Experiment):
    with pytest.raises((InvalidRequest, NotFound)) as caught:
        create(shapes, trained.folder.parent)
    assert any(
        word in f"{caught.value.errors} {caught.value.remedy}" for word in ("Unet", "voc", "train or val")
    )


def test_a_sweep_is_a_grid_a_list_or_both(tmp_path: Path):
    file = tmp_path / "sweep.yaml"
    file.write_text(
        "grid:\n  optimization.learning_rate: [0.1, 0.01]\n  model.architecture: [Unet, FPN]\n"
        "list:\n  - {data: {batch_size: 2, image_size: 64}}\n"
    )
    variants = read_variants(file)
    assert len(variants) == 5
    assert variants[1] == {"optimization.learning_rate": 0.1, "model.architecture": "FPN"}
    assert variants[4] == {"data.batch_size": 2, "data.image_size": 64}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "grid: 3",
        "grid: {a: 1}",
        "grid: {a: []}",
        "list: {a: 1}",
        "list: [1]",
        "other: {}",
        "a: {",
        "list: [{}]",
    ],
)
def test_what_is_no_sweep_is_refused(text: str, tmp_path: Path):
    (tmp_path / "sweep.yaml").write_text(text)
    with pytest.raises(InvalidRequest, match=r"sweep\.yaml"):
        read_variants(tmp_path / "sweep.yaml")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interruption_asks_to_stop_and_the_second_is_the_processs_own(number: int):
    said: list[str] = []
    before = signal.getsignal(number)
    with Interrupt(said.append) as interrupt:
        assert interrupt().stop is None
        os.kill(os.getpid(), number)
        assert (interrupt().stop, len(said)) == ("now", 1)
        assert signal.getsignal(number) == before
    assert signal.getsignal(number) == before

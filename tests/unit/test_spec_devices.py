"""`compute.devices` is how many, or which."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.records import a_run
from trainyard.errors import InvalidRequest
from trainyard.registry.runs import RunRegistry
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.spec.stored import read_spec
from trainyard.spec.training_spec import ComputeSpec, TrainingSpec
from trainyard.storage.files import Storage
from trainyard.store.connection import connect


def spec_of(devices: Any) -> TrainingSpec:
    return Experiments(CONFIGS).compose({"compute": {"devices": devices}})


def facts(compute: ComputeSpec) -> tuple[int, int, tuple[int, ...]]:
    return compute.device_count, compute.devices_needed, compute.device_places


@pytest.mark.parametrize(
    ("devices", "found", "version"),
    [(1, (1, 1, ()), 3), (4, (4, 4, ()), 3), ([0], (1, 1, (0,)), 6), ([3, 1], (2, 4, (3, 1)), 6)],
)
def test_a_number_or_places(devices: Any, found: tuple[int, int, tuple[int, ...]], version: int):
    spec = spec_of(devices)
    assert facts(spec.compute) == found
    assert spec.version == version
    assert read_spec(spec.to_dict()) == spec


@pytest.mark.parametrize(
    "devices", [0, 65, -1, 1.5, "1", True, None, [], [1, 1], [64], [-1], [0.0], [[0]], {}]
)
def test_anything_else_is_refused(devices: Any):
    with pytest.raises(InvalidRequest) as raised:
        spec_of(devices)
    assert list(raised.value.errors["spec"]["compute"]) == ["devices"]


def test_two_places_are_two_devices_to_other_rules():
    with pytest.raises(InvalidRequest, match="no gradients"):
        Experiments(CONFIGS).compose(
            {
                "compute": {"devices": [0, 1], "strategy": "ddp"},
                "optimization": {"freeze_encoder_epochs": 1},
            }
        )


def test_a_worker_has_the_last_of_the_places_or_leaves_the_run(redis_url: str, tmp_path: Path):
    runs = RunRegistry(connect(redis_url), Storage(tmp_path))
    run = a_run(1, spec=spec_of([0, 2]))
    runs.submit(run)
    assert runs.claim(run.queue, "w", 2) is None
    claimed = runs.claim(run.queue, "w", 3)
    assert claimed is not None
    assert claimed.id == run.id

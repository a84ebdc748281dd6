"""Accepted means trainable: specs of values at the ends of what is accepted. `make fuzz` has hundreds."""

from pathlib import Path
from random import Random

import pytest

from tests.training.odd_specs import EXCUSED, REFUSED, TRAINED, Drawer, Sets, outcome


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    return Sets(tmp_path_factory.mktemp("sets"))


@pytest.mark.parametrize("seed", range(6))
def test_an_odd_spec_is_refused_or_trains(seed: int, sets: Sets, run_folder: Path) -> None:
    assert outcome(Drawer(Random(seed)).spec(), sets, run_folder) in (REFUSED, TRAINED, *EXCUSED)

"""Accepted means trainable: specs of values at the ends of what is accepted. `make fuzz` has hundreds."""

from pathlib import Path
from random import Random

import pytest

from tests.training.odd_specs import EXCUSED, REFUSED, TRAINED, Drawer, Sets, outcome
from tests.training.odd_task_specs import TASKS, fits_the_set
from tests.training.odd_task_specs import outcome as outcome_on
from trainyard.storage.files import Storage


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    return Sets(tmp_path_factory.mktemp("sets"))


@pytest.mark.variants(2)
@pytest.mark.parametrize("seed", range(6))
def test_an_odd_spec_is_refused_or_trains(seed: int, sets: Sets, run_folder: Path) -> None:
    assert outcome(Drawer(Random(seed)).spec(), sets, run_folder) in (REFUSED, TRAINED, *EXCUSED)


@pytest.mark.variants(1)
@pytest.mark.parametrize(("task", "seed"), [("classification", 0), ("classification", 5), ("detection", 4)])
def test_an_odd_spec_of_another_task_is_refused_or_trains(
    task: str, seed: int, tmp_path: Path, run_folder: Path
) -> None:
    """On a set that is odd as well."""
    drawer, sets_of = TASKS[task]
    storage = Storage(tmp_path)
    chance, found = Random(seed), sets_of(storage)
    chosen = found[chance.choice(sorted(found))]
    spec = fits_the_set(drawer(chance).spec(), chosen, chance)
    end = outcome_on(spec, chosen, storage, run_folder)
    assert end in (REFUSED, TRAINED, *EXCUSED)

"""Every schedule answers to the same demands."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from tests.training.conftest import CONFIGS, Run, tiny_spec
from trainyard.catalog.names import SCHEDULES
from trainyard.runs.events import EpochEnd
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import ScheduleSpec
from workers.training.network.schedule import lr_factor


def _schedule(name: str, **over: Any) -> ScheduleSpec:
    shipped = Experiments(CONFIGS).compose({}).optimization.schedule
    return replace(shipped, name=name, **over)


@pytest.mark.parametrize("name", SCHEDULES)
class TestEachSchedule:
    def test_it_warms_up_to_the_peak_and_never_rises_again(self, name: str) -> None:
        factors = [lr_factor(_schedule(name), step, 100) for step in range(100)]
        assert all(later > earlier > 0 for earlier, later in pairwise(factors[:10]))
        assert max(factors) == factors[10] == pytest.approx(1)
        assert all(later <= earlier for earlier, later in pairwise(factors[10:]))
        assert min(factors[10:]) >= 0.01

    def test_without_a_warm_up_it_begins_at_the_peak(self, name: str) -> None:
        assert lr_factor(_schedule(name, warmup_fraction=0.0), 0, 10) == pytest.approx(1)

    def test_any_step_and_total_will_do(self, name: str) -> None:
        spec = _schedule(name, warmup_fraction=0.5)
        for step, total in ((0, 1), (5, 1), (50, 10), (0, 2), (1, 2)):
            assert 0 < lr_factor(spec, step, total) <= 1

    def test_a_later_end_leaves_no_less_rate(self, name: str) -> None:
        spec = _schedule(name, warmup_fraction=0.0)
        assert lr_factor(spec, 50, 200) >= lr_factor(spec, 50, 100)


@pytest.mark.parametrize("name", ["cosine", "poly", "one_cycle"])
def test_falling_shapes_end_at_the_final_factor(name: str) -> None:
    spec = _schedule(name, final_factor=0.2)
    assert lr_factor(spec, 99, 100) == pytest.approx(0.2)
    assert lr_factor(spec, 150, 100) == pytest.approx(0.2)
    assert lr_factor(spec, 60, 100) < lr_factor(spec, 50, 100)


def test_one_cycle_rises_along_a_cosine() -> None:
    spec = _schedule("one_cycle", warmup_fraction=0.5)
    assert lr_factor(spec, 0, 1000) == pytest.approx(0.04, abs=1e-3)
    assert lr_factor(spec, 249, 1000) == pytest.approx(0.52)


def test_step_drops_after_each_share_of_the_steps() -> None:
    spec = _schedule("step", warmup_fraction=0.0, drop_every=0.3, drop_factor=0.5)
    factors = [lr_factor(spec, step, 10) for step in range(10)]
    assert factors == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]


def test_plateau_follows_its_drops_to_the_floor() -> None:
    spec = _schedule("plateau", drop_factor=0.1)
    assert [lr_factor(spec, 50, 100, drops) for drops in (0, 1, 2, 3)] == pytest.approx([1, 0.1, 0.01, 0.01])


RATE = 0.01


def _plateau_spec() -> dict[str, Any]:
    """A rate at which validation gets worse for an epoch."""
    schedule = {
        "name": "plateau",
        "patience": 1,
        "warmup_fraction": 0.0,
        "drop_factor": 0.5,
    }
    return tiny_spec(
        optimization={"learning_rate": RATE, "schedule": schedule}, augmentation={"preset": "none"}
    )


@pytest.mark.thorough
def test_plateau_drops_when_the_loss_does_not_fall_and_remembers_it(run: Run) -> None:
    run.fit(epochs=6, spec=_plateau_spec())
    rows = [event.metrics for event in run.of(EpochEnd)]
    assert [row["lr"] for row in rows] == _expected_rates([row["val_loss"] for row in rows])
    assert rows[-1]["lr"] < RATE, "at some epoch this rate must be too high"

    run.fit(epochs=3, spec=_plateau_spec())
    run.fit(epochs=6, spec=_plateau_spec(), resume=True)
    assert [event.metrics["lr"] for event in run.of(EpochEnd)] == [row["lr"] for row in rows[3:]]


def _expected_rates(losses: list[float]) -> list[float]:
    rates, best = [RATE], float("inf")
    for loss in losses[:-1]:
        rates.append(rates[-1] if loss < best else max(RATE / 100, rates[-1] / 2))
        best = min(best, loss)
    return rates

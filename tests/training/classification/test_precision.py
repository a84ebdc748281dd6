"""Losses and scores of classification in float32 whatever surrounds them, and what a step waits for."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.training.classification.conftest import tiny
from tests.training.conftest import Run
from tests.training.test_class_counts import as_on_a_gpu as as_on_a_gpu
from tests.training.test_class_counts import counting_steps
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import LossSpec
from trainyard.tasks.classification import LOSSES
from workers.training.tasks.classification.labels.losses import WeightedLosses
from workers.training.tasks.classification.labels.scores import TrainScores

OPTIMIZATION = Experiments(CONFIGS).compose({"task": "classification"}).optimization
EACH = [(name, form) for name, rule in LOSSES.items() for form in rule.tasks]
IMAGES, CLASSES = 256, 1000
"""As many numbers as float16 cannot count."""


def _batch(form: str) -> tuple[Tensor, Tensor]:
    numbers = torch.Generator().manual_seed(2)
    logits = 4 * torch.randn(IMAGES, CLASSES, generator=numbers)
    if form == "multilabel":
        return logits, (torch.rand(IMAGES, CLASSES, generator=numbers) < 0.3).float()
    return logits, torch.randint(0, CLASSES, (IMAGES,), generator=numbers)


def _value_and_gradient(
    name: str, form: str, logits: Tensor, truth: Tensor, weights: Sequence[float] | None
) -> tuple[Tensor, Tensor]:
    spec = replace(OPTIMIZATION, losses=[LossSpec(name=name, weight=1.0, params={})])
    leaf = logits.clone().requires_grad_()
    loss: Tensor = WeightedLosses(spec, form, weights).to(logits.dtype)(leaf, truth)
    loss.backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    return loss.detach(), leaf.grad


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("name", "form"), EACH)
def test_every_loss_is_exact_under_autocast(name: str, form: str, kind: torch.dtype) -> None:
    logits, truth = _batch(form)
    rounded = logits.to(kind)  # as a network gives them
    weights = [1.0, 20.0] * (CLASSES // 2) if LOSSES[name].takes_class_weights else None
    with torch.autocast("cpu", dtype=kind):
        value, gradient = _value_and_gradient(name, form, rounded, truth, weights)
    exact, slope = _value_and_gradient(
        name, form, rounded.double(), truth.double() if truth.is_floating_point() else truth, weights
    )
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(float(exact), rel=1e-5)
    gradient, slope = gradient.double().flatten(), slope.flatten()
    assert float(torch.nn.functional.cosine_similarity(gradient, slope, dim=0)) > 0.999
    assert float(gradient.norm() / slope.norm()) == pytest.approx(1, rel=0.01)


def test_scores_are_the_same_under_autocast() -> None:
    logits, truth = _batch("multiclass")
    rounded = logits.to(torch.float16)
    rows = []
    for answers in (rounded.float(), rounded):
        scores = TrainScores((1, 5))
        with torch.autocast("cpu", dtype=torch.float16, enabled=answers is rounded):
            for _ in range(300):  # more images than float16 counts
                scores.update(answers, truth, torch.tensor(2.5))
        rows.append(scores.row())
    assert rows[0] == rows[1]
    assert rows[0]["loss"] == 2.5


def test_a_training_step_waits_for_one_number_at_most(
    labelled_run: Run, as_on_a_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the device varies the images. What blends them is drawn on the host, for which no GPU is
    asked."""
    there = {"device": "training", "preset": "medium"}
    with counting_steps(monkeypatch) as steps:
        labelled_run.fit(epochs=2, spec=tiny(augmentation=there, optimization={"ema_decay": 0.9}))
    assert len(steps) == 6
    assert all(len(step) <= 1 for step in steps[:-1] if step is not steps[2]), steps

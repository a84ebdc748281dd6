"""Losses of classification, by torch's own where it has them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import LossSpec
from workers.training.tasks.classification.labels.losses import WeightedLosses

OPTIMIZATION = Experiments(CONFIGS).compose({"task": "classification"}).optimization
NUMBERS = torch.Generator().manual_seed(1)
LOGITS = torch.randn(8, 5, generator=NUMBERS)
TRUTH = torch.randint(0, 5, (8,), generator=NUMBERS)
ONE_HOT = F.one_hot(TRUTH, 5).float()
SEVERAL = (torch.rand(8, 5, generator=NUMBERS) < 0.4).float()
WEIGHTS = [0.5, 2.0, 1.0, 0.0, 3.0]


def loss(
    name: str, form: str, truth: Tensor, weights: Sequence[float] | None = None, **params: float
) -> Tensor:
    spec = replace(OPTIMIZATION, losses=[LossSpec(name=name, weight=2.0, params=params)])
    made: Tensor = WeightedLosses(spec, form, weights)(LOGITS, truth)
    return made / 2


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_torchs(weights: list[float] | None, smoothing: float) -> None:
    given = None if weights is None else torch.tensor(weights)
    expected = F.cross_entropy(LOGITS, TRUTH, given, label_smoothing=smoothing)
    found = loss("cross_entropy", "multiclass", TRUTH, weights, label_smoothing=smoothing)
    assert found == pytest.approx(float(expected), rel=1e-5)
    blended = 0.3 * ONE_HOT + 0.7 * ONE_HOT.flip(0)
    if weights is None:
        expected = F.cross_entropy(LOGITS, blended, label_smoothing=smoothing)
        found = loss("cross_entropy", "multiclass", blended, label_smoothing=smoothing)
        assert found == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize(("form", "truth"), [("multiclass", TRUTH), ("multilabel", SEVERAL)])
def test_bce_is_torchs(form: str, truth: Tensor) -> None:
    shares = ONE_HOT if form == "multiclass" else SEVERAL
    expected = F.binary_cross_entropy_with_logits(LOGITS, shares, pos_weight=torch.tensor(WEIGHTS))
    assert loss("bce", form, truth, WEIGHTS) == pytest.approx(float(expected))
    middle = 0.1 / (5 if form == "multiclass" else 2)
    smoothed = F.binary_cross_entropy_with_logits(LOGITS, shares * 0.9 + middle)
    assert loss("bce", form, truth, label_smoothing=0.1) == pytest.approx(float(smoothed))


def test_focal_without_gamma_is_cross_entropy() -> None:
    expected = loss("cross_entropy", "multiclass", TRUTH, WEIGHTS)
    assert loss("focal", "multiclass", TRUTH, WEIGHTS, gamma=0.0) == pytest.approx(float(expected))
    expected = loss("bce", "multilabel", SEVERAL, WEIGHTS)
    assert loss("focal", "multilabel", SEVERAL, WEIGHTS, gamma=0.0) == pytest.approx(float(expected))


def test_focal_counts_by_how_wrong_an_answer_is() -> None:
    p = LOGITS.softmax(dim=1)[torch.arange(8), TRUTH]
    expected = -((1 - p) ** 2 * p.log()).mean()
    assert loss("focal", "multiclass", TRUTH) == pytest.approx(float(expected), rel=1e-5)
    q = LOGITS.sigmoid()
    right = torch.where(SEVERAL > 0, q, 1 - q)
    weight = torch.where(SEVERAL > 0, 0.25, 0.75)
    expected = -(weight * (1 - right) ** 3 * right.log()).mean()
    found = loss("focal", "multilabel", SEVERAL, alpha=0.25, gamma=3.0)
    assert found == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("form", ["multiclass", "multilabel"])
def test_a_batch_of_classes_without_weight_costs_no_nan(form: str) -> None:
    truth = torch.full((8,), 3) if form == "multiclass" else F.one_hot(torch.full((8,), 3), 5).float()
    names = ("cross_entropy", "bce", "focal") if form == "multiclass" else ("bce", "focal")
    assert all(torch.isfinite(loss(name, form, truth, WEIGHTS)) for name in names)

"""Every loss answers to the same demands where each class is a yes or no of its own."""

import pytest
import segmentation_models_pytorch.losses as smp_losses
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.training.conftest import CONFIGS
from trainyard.errors import InvalidRequest
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import LossSpec
from trainyard.tasks.segmentation import LOSSES
from workers.training.tasks.segmentation.losses.weighted_sum import build_loss

TASK = "multilabel"


def _loss(name: str, weights: list[float] | None = None, **params: float) -> torch.nn.Module:
    return build_loss(LossSpec(name=name, weight=1.0, params=params), TASK, weights)


def _batch() -> tuple[Tensor, Tensor]:
    """Logits as a network gives them, channels last, and truth with every combination of classes."""
    numbers = torch.Generator().manual_seed(4)
    logits = torch.randn(2, 3, 6, 8, generator=numbers).contiguous(memory_format=torch.channels_last)
    return logits, torch.randint(0, 2, (2, 3, 6, 8), generator=numbers).float()


@pytest.mark.parametrize("name", list(LOSSES))
class TestEachLoss:
    def test_a_right_answer_costs_nothing_and_a_wrong_one_much(self, name: str) -> None:
        _, truth = _batch()
        sure = 40 * truth - 20
        assert _loss(name)(sure, truth).item() == pytest.approx(0, abs=1e-3)
        assert _loss(name)(-sure, truth).item() > 0.5

    def test_descending_finds_every_class_of_every_pixel(self, name: str) -> None:
        logits, truth = _batch()
        logits.requires_grad_()
        optimizer = torch.optim.Adam([logits], lr=0.3)
        for _ in range(60):
            optimizer.zero_grad()
            _loss(name)(logits, truth).backward()
            optimizer.step()
        assert ((logits > 0) == (truth > 0)).all()

    def test_one_wrong_class_costs_less_than_three(self, name: str) -> None:
        _, truth = _batch()
        sure = 40 * truth - 20
        one = torch.cat([-sure[:, :1], sure[:, 1:]], dim=1)
        assert 0.1 < _loss(name)(one, truth).item() < _loss(name)(-sure, truth).item()

    def test_every_parameter_of_the_catalogue_is_taken_at_its_ends(self, name: str) -> None:
        logits, truth = _batch()
        for param, ends in LOSSES[name].params.items():
            for value in ends:
                assert torch.isfinite(_loss(name, **{param: value})(logits, truth))

    def test_a_batch_without_any_class_has_a_finite_gradient(self, name: str) -> None:
        logits, truth = _batch()
        logits.requires_grad_()
        _loss(name)(logits, torch.zeros_like(truth)).backward()
        assert logits.grad is not None
        assert torch.isfinite(logits.grad).all()


def test_losses_are_those_of_the_libraries() -> None:
    logits, truth = _batch()
    weights = torch.tensor([0.5, 1.0, 2.0])
    positive = weights.view(-1, 1, 1)
    expected = F.binary_cross_entropy_with_logits(logits, truth, pos_weight=positive)
    assert _loss("bce", weights.tolist())(logits, truth).item() == pytest.approx(expected.item())
    assert _loss("cross_entropy", weights.tolist())(logits, truth).item() == pytest.approx(expected.item())
    for name, library in (
        ("dice", smp_losses.DiceLoss),
        ("jaccard", smp_losses.JaccardLoss),
        ("tversky", smp_losses.TverskyLoss),
    ):
        expected = library(TASK)(logits.contiguous(), truth)
        assert _loss(name)(logits, truth).item() == pytest.approx(expected.item())
    lovasz = [smp_losses.LovaszLoss("binary")(logits[:, c], truth[:, c]) for c in range(3)]
    assert _loss("lovasz")(logits, truth).item() == pytest.approx(torch.stack(lovasz).mean().item())


def test_weights_are_refused_where_no_loss_takes_them() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Experiments(CONFIGS).compose(
            {
                "model": {"task": TASK},
                "optimization": {
                    "losses": [{"name": "dice", "weight": 1.0, "params": {}}],
                    "class_weighting": "auto",
                },
            }
        )
    (said,) = caught.value.errors["spec"]["optimization"]["class_weighting"]
    assert said == "none, or one of these losses: cross_entropy, bce"

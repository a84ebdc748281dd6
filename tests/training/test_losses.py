"""Every loss answers to the same demands, in each task of one class per pixel that it is defined for."""

from typing import Any

import numpy as np
import pytest
import segmentation_models_pytorch.losses as smp_losses
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.training.conftest import CONFIGS
from trainyard.errors import InvalidRequest
from trainyard.spec.checks import check_classes
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import LossSpec
from trainyard.tasks.segmentation import FORMS, LOSSES, weighing_losses
from workers.prepared.version import IGNORE_INDEX
from workers.training.tasks.segmentation.labels.class_weights import auto_weights
from workers.training.tasks.segmentation.losses.weighted_sum import WeightedLosses, build_loss

EACH = [
    pytest.param(name, task, id=f"{name}-{task}")
    for name, rule in LOSSES.items()
    for task in rule.tasks
    if task != "multilabel"
]
WEIGHING = [
    pytest.param(name, task, id=f"{name}-{task}")
    for task in FORMS
    if task != "multilabel"
    for name in weighing_losses(task)
]


def _loss(name: str, task: str, weights: list[float] | None = None, **params: float) -> torch.nn.Module:
    return build_loss(LossSpec(name=name, weight=1.0, params=params), task, weights)


def _batch(task: str, seed: int = 0, shape: tuple[int, ...] = (2, 6, 8)) -> tuple[Tensor, Tensor]:
    numbers = torch.Generator().manual_seed(seed)
    channels, classes = (1, 2) if task == "binary" else (3, 3)
    logits = torch.randn(shape[0], channels, *shape[1:], generator=numbers)
    return logits, torch.randint(0, classes, shape, generator=numbers)


def _sure(masks: Tensor, task: str) -> Tensor:
    """Logits that are certain of the truth."""
    if task == "binary":
        return 20.0 * (2 * masks - 1).unsqueeze(1).float()
    return 20 * F.one_hot(masks, 3).permute(0, 3, 1, 2).float() - 10


@pytest.mark.parametrize(("name", "task"), EACH)
class TestEachLoss:
    def test_a_right_answer_costs_nothing_and_a_wrong_one_much(self, name: str, task: str) -> None:
        _, masks = _batch(task)
        right, wrong = _sure(masks, task), _sure((masks + 1) % (2 if task == "binary" else 3), task)
        loss = _loss(name, task)
        assert loss(right, masks).item() == pytest.approx(0, abs=1e-3)
        assert loss(wrong, masks).item() > 0.5

    def test_ignored_pixels_change_nothing(self, name: str, task: str) -> None:
        logits, masks = _batch(task)
        masks[..., 4:] = IGNORE_INDEX
        other = logits.clone()
        other[..., 4:] += 5
        loss = _loss(name, task)
        expected = loss(logits[..., :4], masks[..., :4]).item()
        assert loss(logits, masks).item() == pytest.approx(expected, rel=1e-5)
        assert loss(other, masks).item() == pytest.approx(expected, rel=1e-5)

    def test_ignored_pixels_have_no_gradient(self, name: str, task: str) -> None:
        logits, masks = _batch(task)
        masks[0] = IGNORE_INDEX
        logits.requires_grad_()
        _loss(name, task)(logits, masks).backward()
        assert logits.grad is not None
        assert logits.grad[0].abs().max().item() == 0
        assert logits.grad[1].abs().max().item() > 0

    def test_nothing_labelled_costs_nothing(self, name: str, task: str) -> None:
        logits, masks = _batch(task)
        logits.requires_grad_()
        loss = _loss(name, task)(logits, torch.full_like(masks, IGNORE_INDEX))
        loss.backward()
        assert loss.shape == ()
        assert loss.item() == 0
        assert logits.grad is not None
        assert logits.grad.abs().max().item() == 0

    def test_descending_finds_the_truth(self, name: str, task: str) -> None:
        logits, masks = _batch(task)
        logits.requires_grad_()
        optimizer = torch.optim.Adam([logits], lr=0.3)
        for _ in range(60):
            optimizer.zero_grad()
            _loss(name, task)(logits, masks).backward()
            optimizer.step()
        found = (logits[:, 0] > 0).long() if task == "binary" else logits.argmax(1)
        assert (found == masks).float().mean().item() == 1

    def test_every_parameter_of_the_catalogue_is_taken_at_its_ends(self, name: str, task: str) -> None:
        logits, masks = _batch(task)
        for param, ends in LOSSES[name].params.items():
            for value in ends:
                assert torch.isfinite(_loss(name, task, **{param: value})(logits, masks))


@pytest.mark.parametrize(("name", "task"), WEIGHING)
def test_a_class_of_weight_0_does_not_count(name: str, task: str) -> None:
    _, masks = _batch(task)
    classes = 2 if task == "binary" else 3
    # Pixels of the last class are answered with the first one.
    logits = _sure(masks.where(masks != classes - 1, 0), task)
    blind = _loss(name, task, [1.0] * (classes - 1) + [0.0])
    assert _loss(name, task)(logits, masks).item() > blind(logits, masks).item()


def test_losses_are_those_of_the_libraries() -> None:
    logits, masks = _batch("multiclass")
    weights = [0.5, 1.0, 2.0]
    expected = {
        "cross_entropy": F.cross_entropy(logits, masks, torch.tensor(weights)),
        "dice": smp_losses.DiceLoss("multiclass", class_weights=weights)(logits, masks),
        "focal": smp_losses.FocalLoss("multiclass", class_weights=weights)(logits, masks),
    }
    for name, value in expected.items():
        assert _loss(name, "multiclass", weights)(logits, masks).item() == pytest.approx(value.item())


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_lovasz_is_that_of_the_library_with_its_gradient(task: str) -> None:
    logits, masks = _batch(task, shape=(3, 8, 10))
    masks[masks == 1] = 0  # one class has no pixel
    found, expected = (logits.clone().requires_grad_() for _ in range(2))
    loss, reference = _loss("lovasz", task)(found, masks), smp_losses.LovaszLoss(task)(expected, masks)
    loss.backward()
    reference.backward()
    assert loss.item() == pytest.approx(reference.item(), abs=1e-6)
    assert found.grad is not None
    assert expected.grad is not None
    assert torch.allclose(found.grad, expected.grad, rtol=0, atol=1e-6)


OVERLAPS = [
    ("dice", {}, smp_losses.DiceLoss),
    ("dice", {"smooth": 3.0}, smp_losses.DiceLoss),
    ("jaccard", {}, smp_losses.JaccardLoss),
    ("jaccard", {"smooth": 3.0}, smp_losses.JaccardLoss),
    ("tversky", {}, smp_losses.TverskyLoss),
    ("tversky", {"alpha": 0.2, "beta": 0.9, "gamma": 1.5, "smooth": 1.0}, smp_losses.TverskyLoss),
]


@pytest.mark.parametrize(("name", "params", "library"), OVERLAPS)
@pytest.mark.parametrize(
    ("task", "weights"), [("binary", None), ("multiclass", None), ("multiclass", [0.5, 1.0, 2.0])]
)
def test_overlaps_are_those_of_the_library_with_their_gradients(
    name: str, params: dict[str, float], library: Any, task: str, weights: list[float] | None
) -> None:
    logits, masks = _batch(task, shape=(3, 8, 10))
    if task == "multiclass":
        masks[masks == 1] = 0  # one class has no pixel
    masks[0, :3] = IGNORE_INDEX
    theirs = library(task, ignore_index=IGNORE_INDEX, class_weights=weights, **params)
    found, expected = (logits.clone().requires_grad_() for _ in range(2))
    loss, reference = _loss(name, task, weights, **params)(found, masks), theirs(expected, masks)
    loss.backward()
    reference.backward()
    assert loss.item() == pytest.approx(reference.item(), abs=1e-6)
    assert found.grad is not None
    assert expected.grad is not None
    assert torch.allclose(found.grad, expected.grad, rtol=0, atol=1e-6)
    assert expected.grad.abs().max().item() > 1e-5


def test_a_power_below_1_has_a_finite_slope_where_nothing_is_to_be_learnt() -> None:
    logits, masks = _batch("multiclass")
    logits.requires_grad_()
    loss = _loss("tversky", "multiclass", gamma=0.5)(logits, torch.full_like(masks, IGNORE_INDEX))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert logits.grad.abs().max().item() == 0


def test_terms_are_added_by_their_weights_in_float32() -> None:
    logits, masks = _batch("multiclass")
    spec = Experiments(CONFIGS).compose(
        {
            "optimization": {
                "losses": [
                    {"name": "dice", "weight": 0.5, "params": {}},
                    {"name": "focal", "weight": 3.0, "params": {"gamma": 1.0}},
                ]
            }
        }
    )
    half = logits.bfloat16()
    total = WeightedLosses(spec.optimization, "multiclass", None)(half, masks)
    parts = [_loss("dice", "multiclass"), _loss("focal", "multiclass", gamma=1.0)]
    expected = 0.5 * parts[0](half.float(), masks) + 3 * parts[1](half.float(), masks)
    assert total.dtype == torch.float32
    assert total.item() == pytest.approx(expected.item())


def test_auto_weights_favour_rare_classes_within_bounds() -> None:
    weights = auto_weights(np.array([900, 90, 0, 10]))
    assert weights[3] > weights[1] > weights[0] > 0
    assert weights[2] == 0
    assert sum(weights) / 3 == pytest.approx(1)
    assert auto_weights(np.array([10**9, 1]))[1] / auto_weights(np.array([10**9, 1]))[0] < 50


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"losses": []}, "losses"),
        ({"losses": [{"name": "mcc", "weight": 1.0, "params": {}}]}, "losses.0.name"),
        ({"losses": [{"name": "nope", "weight": 1.0, "params": {}}]}, "losses.0.name"),
        ({"losses": [{"name": "dice", "weight": 0.0, "params": {}}]}, "losses.0.weight"),
        ({"losses": [{"name": "dice", "weight": 1.0, "params": {"gamma": 2.0}}]}, "losses.0.params"),
        ({"losses": [{"name": "focal", "weight": 1.0, "params": {"gamma": 99.0}}]}, "losses.0.params"),
        ({"class_weighting": "given"}, "class_weights"),
        ({"class_weights": [1.0, 2.0]}, "class_weights"),
        ({"class_weights": [-1.0], "class_weighting": "given"}, "class_weights"),
        ({"class_weights": [0.0, 0.0], "class_weighting": "given"}, "class_weights"),
        (
            {"losses": [{"name": "lovasz", "weight": 1.0, "params": {}}], "class_weighting": "auto"},
            "class_weighting",
        ),
    ],
)
def test_losses_that_cannot_be_are_refused_by_field(over: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Experiments(CONFIGS).compose({"optimization": over})
    found = caught.value.errors["spec"]["optimization"]
    for key in field.split("."):
        found = found[int(key) if key.isdigit() and int(key) in found else key]
    assert found


def test_the_classes_of_the_set_must_fit() -> None:
    binary = Experiments(CONFIGS).compose({"model": {"task": "binary"}})
    check_classes(binary, 2, "multiclass")
    with pytest.raises(InvalidRequest, match="exactly two classes"):
        check_classes(binary, 3, "multiclass")
    given = {"optimization": {"class_weighting": "given", "class_weights": [1.0, 2.0]}}
    check_classes(Experiments(CONFIGS).compose(given), 2, "multiclass")
    with pytest.raises(InvalidRequest, match="2 class weights and 3 classes"):
        check_classes(Experiments(CONFIGS).compose(given), 3, "multiclass")

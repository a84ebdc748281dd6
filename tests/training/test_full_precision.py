"""Loss, scores and the report's sums are those of float32 under mixed precision, too: against float64."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.training.conftest import CONFIGS
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import LossSpec
from trainyard.tasks.segmentation import LOSSES
from workers.prepared.version import IGNORE_INDEX, PreparedDataset
from workers.training.tasks.segmentation.data.squares import SegmentationDataset
from workers.training.tasks.segmentation.labels.metrics import EpochScores
from workers.training.tasks.segmentation.losses.weighted_sum import WeightedLosses, build_loss
from workers.training.tasks.segmentation.report.evaluation import Evaluation, evaluate

HALVES = (torch.float16, torch.bfloat16)
SCALE = 2.0**16
"""What a gradient scaler multiplies float16 losses by at first; without it gradients of a pixel vanish."""
EACH = [
    pytest.param(name, task, kind, id=f"{name}-{task}-{str(kind).removeprefix('torch.')}")
    for name, rule in LOSSES.items()
    for task in rule.tasks
    for kind in HALVES
]


def batch(task: str, images: int, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """Logits of 512 px as a network under autocast gives them, and truth in which one class is rare."""
    numbers = torch.Generator().manual_seed(0)
    shape = (images, 1 if task == "binary" else 3, 512, 512)
    logits = torch.randn(shape, generator=numbers).to(kind).contiguous(memory_format=torch.channels_last)
    if task == "multilabel":
        return logits, (torch.rand(shape, generator=numbers) < 0.1).float()
    drawn = torch.rand(images, 512, 512, generator=numbers)
    masks = (drawn < 0.1).long()
    if task == "multiclass":
        masks[drawn > 0.99] = 2
    masks[:, :3] = IGNORE_INDEX
    return logits, masks


def value_and_gradient(loss: nn.Module, logits: Tensor, truth: Tensor) -> tuple[float, Tensor]:
    leaf = logits.clone().requires_grad_()
    found = loss(leaf, truth)
    (found * SCALE).backward()
    assert leaf.grad is not None
    return found.item(), leaf.grad.double() / SCALE


def in_double(name: str, task: str) -> nn.Module:
    return build_loss(LossSpec(name=name, weight=1.0, params={}), task, None).double()


def assert_exact(found: nn.Module, exact: nn.Module, task: str, images: int, kind: torch.dtype) -> None:
    logits, truth = batch(task, images, kind)
    with torch.autocast("cpu", dtype=kind):
        value, gradient = value_and_gradient(found, logits, truth)
    expected, slope = value_and_gradient(exact, logits.double(), truth)
    assert value == pytest.approx(expected, abs=2e-6)
    assert (
        0.9995 < (gradient.norm() / slope.norm()).item() < 1.0005
    )  # a gradient has the 16 bits of its logits
    assert (gradient * slope).sum().item() > 0.9999 * (gradient.norm() * slope.norm()).item()


@pytest.mark.variants(16)
@pytest.mark.parametrize(("name", "task", "kind"), EACH)
def test_every_loss_is_exact_under_autocast(name: str, task: str, kind: torch.dtype) -> None:
    """Sixteen times more pixels than float16 can count."""
    found = build_loss(LossSpec(name=name, weight=1.0, params={}), task, None)
    assert_exact(found, in_double(name, task), task, 4, kind)


@pytest.mark.parametrize("kind", HALVES)
def test_the_default_loss_of_a_large_batch_is_exact_under_autocast(kind: torch.dtype) -> None:
    spec = Experiments(CONFIGS).compose({})
    found = WeightedLosses(spec.optimization, "multiclass", None)
    assert [term.name for term in spec.optimization.losses].count("dice") == 1
    assert_exact(found, copy.deepcopy(found).double(), "multiclass", 16, kind)


@pytest.mark.parametrize("kind", HALVES)
@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_scores_are_the_same_under_autocast(task: str, kind: torch.dtype) -> None:
    logits, truth = batch(task, 1, kind)
    classes = 2 if task == "binary" else 3
    plain, mixed = EpochScores(classes, task), EpochScores(classes, task)
    for _ in range(3):
        plain.update(logits.float(), truth, torch.tensor(0.7001).to(kind).float())
        with torch.autocast("cpu", dtype=kind):
            mixed.update(logits, truth, torch.tensor(0.7001).to(kind))
    assert mixed.compute() == plain.compute()


@pytest.mark.parametrize("kind", HALVES)
def test_the_report_is_the_same_under_autocast(prepared: Path, kind: torch.dtype) -> None:
    """Of a network whose logits are 16-bit numbers."""
    data = Experiments(CONFIGS).compose({"data": {"image_size": 320, "batch_size": 2}}).data
    opened = PreparedDataset(prepared)
    squares = SegmentationDataset(opened, opened.samples[:2], data, None, 0)

    def logits(images: Tensor) -> Tensor:
        return ((images.permute(0, 3, 1, 2).float() - 90) / 30).to(kind)

    def report(forward: object) -> Evaluation:
        return evaluate(forward, squares, 3, batch=2, device=torch.device("cpu"), seed=0)  # type: ignore[arg-type]

    plain = report(lambda images: logits(images).float())
    with torch.autocast("cpu", dtype=kind):
        mixed = report(logits)
    assert torch.equal(mixed.counts, plain.counts)
    assert (mixed.calibration.bins(), mixed.worst) == (plain.calibration.bins(), plain.worst)
    assert mixed.curves.compute() == plain.curves.compute()

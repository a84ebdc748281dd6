"""What is counted by class has two forms, of CPUs and GPUs: they agree, and the latter waits for nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tests.training.conftest import Run, tiny_spec
from trainyard.errors import NanLoss
from trainyard.runs.events import EpochEnd, Progress
from trainyard.spec.training_spec import LossSpec
from trainyard.tasks.segmentation import LOSSES
from workers.prepared.version import IGNORE_INDEX
from workers.training.compute import loss_readback
from workers.training.engine import progress
from workers.training.epochs.module import TrainingModule
from workers.training.tasks.segmentation.labels import class_counts
from workers.training.tasks.segmentation.labels.label_codec import reading_of
from workers.training.tasks.segmentation.labels.metrics import EpochScores, confusion
from workers.training.tasks.segmentation.losses import lovasz
from workers.training.tasks.segmentation.losses.weighted_sum import WeightedLosses, build_loss

EACH = [pytest.param(name, task, id=f"{name}-{task}") for name, rule in LOSSES.items() for task in rule.tasks]
WAITS = {"_local_scalar_dense", "nonzero", "bincount", "masked_select", "_unique2", "is_nonzero", "equal"}
"""Operations that make the host wait for a GPU: their result, or its size, is looked at."""


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (class_counts, lovasz, loss_readback):
        monkeypatch.setattr(module, "BY_PLACE", frozenset())


class Waits(TorchDispatchMode):
    """Counts operations that make a host wait for a GPU, while it is `open`."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.open = True

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        picks = name == "index" and any(one is not None and one.dtype == torch.bool for one in args[1])
        if self.open and (name in WAITS or picks):
            self.names.append(name)
        return func(*args, **(kwargs or {}))


def _batch(task: str, classes: int = 4, shape: tuple[int, ...] = (3, 20, 24)) -> tuple[Tensor, Tensor]:
    """Logits, channels last, and truth of which one class has no pixel and some are ignored."""
    numbers = torch.Generator().manual_seed(1)
    channels = 1 if task == "binary" else classes
    logits = torch.randn(shape[0], *shape[1:], channels, generator=numbers).permute(0, 3, 1, 2)
    if task == "multilabel":
        return logits, (torch.rand(logits.shape, generator=numbers) < 0.3).float()
    masks = torch.randint(0, 2 if task == "binary" else classes - 1, shape, generator=numbers)
    masks[:, :3] = IGNORE_INDEX
    return logits, masks


def _value_and_gradient(name: str, task: str, weights: list[float] | None) -> tuple[Tensor, Tensor]:
    logits, truth = _batch(task)
    leaf = logits.clone().requires_grad_()
    loss = build_loss(LossSpec(name=name, weight=1.0, params={}), task, weights)(leaf, truth)
    loss.backward()
    assert leaf.grad is not None
    return loss.detach(), leaf.grad


@pytest.mark.parametrize(("name", "task"), EACH)
def test_the_loss_of_a_gpu_is_that_of_a_cpu(name: str, task: str, request: pytest.FixtureRequest) -> None:
    weights = [0.5, 1.0, 2.0, 1.5] if task == "multiclass" and name not in ("lovasz", "mcc") else None
    value, gradient = _value_and_gradient(name, task, weights)
    request.getfixturevalue("as_on_a_gpu")
    other_value, other_gradient = _value_and_gradient(name, task, weights)
    assert torch.allclose(value, other_value, rtol=0, atol=1e-6)
    assert torch.allclose(gradient, other_gradient, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize(("name", "task"), EACH)
def test_no_loss_waits(name: str, task: str, as_on_a_gpu: None) -> None:
    with Waits() as waits:
        _value_and_gradient(name, task, None)
    assert waits.names == []


def test_sums_over_millions_of_pixels_keep_their_digits(as_on_a_gpu: None) -> None:
    logits, masks = _batch("multiclass", 3, (4, 512, 512))
    found = class_counts.sums_of_classes(logits.softmax(1), masks)
    exact = class_counts.sums_of_classes(logits.double().softmax(1), masks)
    for one, other in zip(found, exact, strict=True):
        assert torch.allclose(one, other, rtol=1e-6, atol=0)


@pytest.mark.parametrize("at_once", [1, 1500, 2**26])
@pytest.mark.parametrize("task", ["multiclass", "binary", "multilabel"])
def test_scores_of_a_gpu_are_those_of_a_cpu_and_wait_for_nothing(
    task: str, at_once: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With batches that are counted at once, in part or image by image."""
    logits, truth = _batch(task)
    expected = confusion(logits, truth)
    request.getfixturevalue("as_on_a_gpu")
    monkeypatch.setattr(class_counts, "_AT_ONCE", at_once)
    scores = EpochScores(4, task)
    with Waits() as waits:
        scores.update(logits, truth, torch.tensor(1.0))
    assert waits.names == []
    counts = scores.state()["confusion"]
    assert counts.dtype == expected.dtype
    assert torch.equal(counts, expected)
    if task == "multiclass":
        predicted = logits.argmax(1)
        assert torch.equal(reading_of(task, 4).count(predicted.byte(), truth.byte()), expected)


def test_more_pixels_than_float32_counts_are_counted(as_on_a_gpu: None) -> None:
    masks = torch.zeros(2, 4096, 2049, dtype=torch.uint8).expand(2, 4096, 2049).long()
    masks[0, 0, 0] = 1
    counts = class_counts.pairs_of_classes(torch.zeros_like(masks), masks, 2)
    assert counts.tolist() == [[2 * 4096 * 2049 - 1, 0], [1, 0]]


@contextmanager
def counting_steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """The waits of each training step, from before it to after the optimizer's."""
    waits, steps = Waits(), []
    waits.open = False

    def watched(begin: Callable[..., None], *, ends: bool) -> Callable[..., None]:
        def hook(*args: Any) -> None:
            begin(*args)
            if ends:
                steps.append(waits.names)
            waits.names, waits.open = [], not ends

        return hook

    start, end = TrainingModule.on_train_batch_start, TrainingModule.on_train_batch_end
    monkeypatch.setattr(TrainingModule, "on_train_batch_start", watched(start, ends=False))
    monkeypatch.setattr(TrainingModule, "on_train_batch_end", watched(end, ends=True))
    with waits:
        yield steps


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_training_step_waits_for_one_number_at_most(
    run: Run, optimizer: str, as_on_a_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss of the step before, a number that the GPU has long had by then."""
    losses = [
        {"name": name, "weight": 1.0, "params": {}} for name in ("dice", "cross_entropy", "focal", "lovasz")
    ]
    over = {"optimizer": optimizer, "losses": losses, "ema_decay": 0.9, "gradient_clip": 1.0}
    with counting_steps(monkeypatch) as steps:
        run.fit(epochs=2, spec=tiny_spec(optimization=over))
    assert len(steps) == 6
    assert all(len(step) <= 1 for step in steps[:-1] if step is not steps[2]), steps


@pytest.mark.parametrize("spoilt", [2, 3])
def test_a_loss_that_is_no_number_is_told_before_anything_is_saved(
    run: Run, spoilt: int, as_on_a_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch later, at the epoch's end of its last one."""
    real, batches = WeightedLosses.forward, 0

    def forward(self: WeightedLosses, logits: Tensor, masks: Tensor) -> Tensor:
        nonlocal batches
        batches += logits.requires_grad
        return real(self, logits, masks) * (float("nan") if batches == spoilt else 1)

    monkeypatch.setattr(WeightedLosses, "forward", forward)
    with pytest.raises(NanLoss, match=f"epoch 1, step {spoilt}, on: drawn-"):
        run.fit(epochs=1)
    assert run.of(EpochEnd) == []
    assert not list(run.folder.rglob("*.ckpt"))


def test_the_live_loss_is_that_of_a_batch(
    run: Run, as_on_a_gpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "INTERVAL_SECONDS", 0.0)  # two epochs may be over before a report is due
    run.fit(epochs=2)
    assert any(event.loss is not None and event.loss > 0 for event in run.of(Progress))

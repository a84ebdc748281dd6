"""Check 12: how often a training step waits for the device, and what part of it is loss and scores."""

import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tests.gpu.check import Finding, Setting, measured
from tests.gpu.engine import EngineRun
from tests.gpu.sets import prepared_set
from trainyard.settings import REPOSITORY
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TrainingSpec
from trainyard.tasks.segmentation import LOSSES
from workers.training.epochs.module import TrainingModule
from workers.training.tasks.segmentation.labels.metrics import EpochScores
from workers.training.tasks.segmentation.losses.weighted_sum import WeightedLosses
from workers.training.tasks.segmentation.network.networks import empty_network

MOST_SYNCS = 1.0
"""Waits for the device in a step."""
PART = 0.05
"""Of a step's time, for loss and scores."""
WARM = 4
STEPS = 24
CLASSES = 3
_SAID = "called a synchronizing CUDA operation"
_WAITING = ("_local_scalar_dense", "is_nonzero", "nonzero", "masked_select", "bincount", "_unique2")
"""Operations whose result is read, or whose shape hangs on numbers: a GPU would have to be waited for."""


def syncs(setting: Setting) -> Iterator[Finding]:
    """Waits of a step, with each loss; and the time of loss and scores beside that of a whole step."""
    if setting.on_gpu:
        prepared = prepared_set(setting.folder / "set", 4 * (WARM + STEPS), 8, 128, seed=setting.seed)
        for name in _names():
            yield setting.at_most(
                f"waits a step with {name or 'the default losses'}",
                _waits(setting, prepared, name),
                MOST_SYNCS,
            )
    else:
        counts = {name or "default": _waiting_operations(setting, name) for name in _names()}
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        yield measured("operations of loss and scores, in their form for CPUs, that wait on a GPU", said)
    yield setting.at_most("loss and scores, as a part of a step", _part(setting), PART, speed=True)


def _names() -> list[str]:
    """The default losses (no name), and each alone."""
    return ["", *(name for name, rule in LOSSES.items() if "multiclass" in rule.tasks)]


def _losses(name: str) -> dict[str, Any]:
    return {"losses": [{"name": name, "weight": 1.0, "params": {}}]} if name else {}


def _waits(setting: Setting, prepared: Path, name: str) -> float:
    """By CUDA's own account, of the steps of an epoch after the first few."""
    spec = {"epochs": 1, "data": {"image_size": 128, "batch_size": 4}, "optimization": _losses(name)}
    with counted_waits() as seen:
        EngineRun(setting, f"waits-{name}", prepared).fit(spec)
    return len(seen) / STEPS


@contextmanager
def counted_waits() -> Iterator[list[str]]:
    """Collects a line for each wait between the first steps of an epoch and its validation."""
    begin, end = TrainingModule.on_train_batch_start, TrainingModule.on_validation_epoch_start
    seen: list[str] = []

    def start(module: TrainingModule, batch: Any, batch_idx: int) -> None:
        if batch_idx == WARM:
            torch.cuda.set_sync_debug_mode("warn")
        begin(module, batch, batch_idx)

    def stop(module: TrainingModule) -> None:
        torch.cuda.set_sync_debug_mode("default")
        end(module)

    def note(message: Warning | str, *_: Any, **__: Any) -> None:
        if _SAID in str(message):
            seen.append(str(message))

    TrainingModule.on_train_batch_start = start  # type: ignore[method-assign]
    TrainingModule.on_validation_epoch_start = stop  # type: ignore[method-assign]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = note
        try:
            yield seen
        finally:
            torch.cuda.set_sync_debug_mode("default")
            TrainingModule.on_train_batch_start = begin  # type: ignore[method-assign]
            TrainingModule.on_validation_epoch_start = end  # type: ignore[method-assign]


class _Waiting(TorchDispatchMode):
    """Counts operations that a GPU would have to be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        picks = name == "index" and any(
            isinstance(index, Tensor) and index.dtype == torch.bool for index in args[1]
        )
        self.count += name in _WAITING or picks
        return func(*args, **(kwargs or {}))


def _waiting_operations(setting: Setting, name: str) -> int:
    """Of one batch's loss, its gradient and its scores."""
    loss, scores, logits, truth = _made(setting, _composed(_losses(name)), 2, 64)
    leaf = logits.requires_grad_()
    with _Waiting() as counted:
        value = loss(leaf, truth)
        torch.autograd.backward(value)
        scores.update(leaf.detach(), truth, value)
    return counted.count


def _composed(optimization: dict[str, Any]) -> TrainingSpec:
    encoder = {"architecture": "Unet", "encoder": "resnet34"}
    over = {"model": encoder, "optimization": optimization}
    return Experiments(REPOSITORY / "configs").compose(over)


def _made(
    setting: Setting, spec: TrainingSpec, images: int, size: int
) -> tuple[WeightedLosses, EpochScores, Tensor, Tensor]:
    torch.manual_seed(setting.seed)
    logits = torch.randn(images, CLASSES, size, size, device=setting.device)
    truth = torch.randint(0, CLASSES, (images, size, size), device=setting.device)
    loss = WeightedLosses(spec.optimization, "multiclass", None).to(setting.device)
    channels_last = logits.contiguous(memory_format=torch.channels_last)
    return loss, EpochScores(CLASSES), channels_last, truth


def _part(setting: Setting) -> float:
    """Unet-resnet34 in bf16 on resident batches, at 512 px x 16 on a GPU."""
    images, size = setting.size((16, 512), (2, 96))
    spec = _composed({})
    loss, scores, logits, truth = _made(setting, spec, images, size)
    network = empty_network(spec.model, CLASSES).to(setting.device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=True)
    batch = torch.randn(images, 3, size, size, device=setting.device)
    batch = batch.contiguous(memory_format=torch.channels_last)

    def judge(answers: Tensor) -> None:
        with torch.autocast(setting.device, torch.bfloat16):
            value = loss(answers, truth)
            scores.update(answers.detach(), truth, value)
        torch.autograd.backward(value)

    def whole() -> None:
        optimizer.zero_grad()
        with torch.autocast(setting.device, torch.bfloat16):
            answers = network(batch)
        judge(answers)
        optimizer.step()

    half = logits.bfloat16()
    return _seconds(setting, lambda: judge(half.clone().requires_grad_())) / _seconds(setting, whole)


def _seconds(setting: Setting, work: Callable[[], None]) -> float:
    """The median of some calls, after a few that count for none."""
    rounds = []
    for _ in range(setting.size(20, 4)):
        _settle(setting)
        began = time.perf_counter()
        work()
        _settle(setting)
        rounds.append(time.perf_counter() - began)
    return statistics.median(rounds[len(rounds) // 4 :])


def _settle(setting: Setting) -> None:
    if setting.on_gpu:
        torch.cuda.synchronize()

"""Checks 4 and 5: every architecture learns, and every optimizer steps, in every precision."""

import copy
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.gpu.check import Finding, Setting, none_of, not_shown
from trainyard.catalog.encoder_pairs import only_size, unfit_architectures
from trainyard.catalog.names import OPTIMIZERS, PACKAGED_ENCODER
from trainyard.settings import REPOSITORY
from trainyard.spec.experiments import Experiments
from trainyard.tasks.registry import rounded_size
from trainyard.tasks.segmentation import ARCHITECTURES
from workers.training.compute.sync_norms import SyncNorms
from workers.training.network.optimizer import make_optimizer
from workers.training.tasks.segmentation.network.networks import empty_network

ENCODERS = ("resnet18", PACKAGED_ENCODER, "mit_b0", "tu-vit_tiny_patch16_224")
KINDS: dict[str, torch.dtype | None] = {"32": None, "bf16": torch.bfloat16, "16": torch.float16}
STEPS = 20
FALL = 0.2
"""By how much of itself the loss of one batch is to fall."""
SAME = 1e-3
RATE = 1e-3
CLASSES = 3
IMAGES = 4


def architectures(setting: Setting) -> Iterator[Finding]:
    """Each architecture with each kind of encoder on one batch."""
    dull: list[str] = []
    apart: list[str] = []
    changed: list[str] = []
    kinds = [kind for kind in KINDS if setting.on_gpu or kind == "32"]
    pairs = list(_pairs(setting))
    for architecture, encoder, size in pairs:
        torch.manual_seed(setting.seed)
        network = empty_network(_model(architecture, encoder), CLASSES)
        images, truth = _batch(size)
        apart += _apart(network, images, setting, f"{architecture} {encoder}")
        changed += _changed_by_sync_norms(network, images, f"{architecture} {encoder}")
        for kind in kinds:
            first, last = _losses(copy.deepcopy(network), images, truth, kind, setting)
            if not (math.isfinite(last) and last < (1 - FALL) * first):
                dull.append(f"{architecture} {encoder} {kind}: {first:.3g} to {last:.3g}")
    yield none_of(f"{len(pairs)} pairs in {', '.join(kinds)} learn a batch in {_steps(setting)} steps", dull)
    yield none_of("synchronised norms, and taking them back, change no logit", changed)
    if setting.on_gpu:
        yield none_of(f"float32 logits are the CPU's within {SAME:g}", apart)
    else:
        yield not_shown("float32 logits as on the CPU; 16-bit forms", "needs a GPU")


def _steps(setting: Setting) -> int:
    return setting.size(STEPS, 6)


def _pairs(setting: Setting) -> Iterator[tuple[str, str, int]]:
    """Architectures with encoders that they can train with, and a size that both take."""
    for architecture in ARCHITECTURES:
        fit = [one for one in ENCODERS if architecture not in unfit_architectures(one)]
        fit = [one for one in fit if one.startswith(ARCHITECTURES[architecture].encoder_prefix)]
        for encoder in fit if setting.on_gpu else fit[:1]:
            wanted = rounded_size(architecture, setting.size(128, 32))
            yield architecture, encoder, only_size(architecture, encoder) or wanted


def _model(architecture: str, encoder: str) -> Any:
    over = {"model": {"architecture": architecture, "encoder": encoder}}
    return Experiments(REPOSITORY / "configs").compose(over).model


def _batch(size: int) -> tuple[Tensor, Tensor]:
    """Images whose brightness tells the class of each quarter."""
    truth = torch.zeros(IMAGES, size, size, dtype=torch.int64)
    truth[:, : size // 2, : size // 2] = 1
    truth[:, size // 2 :, size // 2 :] = 2
    images = (truth.unsqueeze(1) - 1.0).expand(-1, 3, -1, -1) + 0.1 * torch.randn(IMAGES, 3, size, size)
    return images.contiguous(memory_format=torch.channels_last), truth


def _losses(
    network: nn.Module, images: Tensor, truth: Tensor, kind: str, setting: Setting
) -> tuple[float, float]:
    """The loss of the first step and of the last."""
    network = network.to(setting.device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)
    scaler = torch.amp.GradScaler(setting.device, enabled=kind == "16")
    images, truth = images.to(setting.device), truth.to(setting.device)
    seen = []
    for _ in range(_steps(setting)):
        optimizer.zero_grad()
        with _autocast(setting, KINDS[kind]):
            logits = network(images)
        loss = F.cross_entropy(logits.float(), truth)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        seen.append(loss.detach())
    return float(seen[0]), float(seen[-1])


def _autocast(setting: Setting, dtype: torch.dtype | None) -> AbstractContextManager[object]:
    return torch.autocast(setting.device, dtype=dtype) if dtype else nullcontext()


def _apart(network: nn.Module, images: Tensor, setting: Setting, name: str) -> Iterator[str]:
    """Whether the GPU's float32 logits, TF32 off, are other than the CPU's."""
    if not setting.on_gpu:
        return
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    with torch.inference_mode():
        here = network.eval()(images)
        there = copy.deepcopy(network).to(setting.device)(images.to(setting.device)).cpu()
    torch.backends.cudnn.allow_tf32 = True
    if not (difference := float((here - there).abs().max())) <= SAME * max(1.0, float(here.abs().max())):
        yield f"{name}: {difference:.2g}"


def _changed_by_sync_norms(network: nn.Module, images: Tensor, name: str) -> Iterator[str]:
    norms = SyncNorms()
    network.eval()
    with torch.inference_mode():
        before = network(images)
        during = norms.apply(network)(images)
        after = norms.revert(network)(images)
    if not (torch.equal(before, during) and torch.equal(before, after)):
        yield name


class _Small(nn.Module):
    """An encoder and a head in miniature."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.encoder(images))
        return logits


def optimizers(setting: Setting) -> Iterator[Finding]:
    """Each optimizer of the catalogue, as the engine makes it: three steps."""
    kinds = ("bf16", "16") if setting.on_gpu else ("bf16",)
    if not setting.on_gpu:
        # Some of timm's compile parts of their step, which takes a CPU's compiler minutes.
        torch.compile = lambda function, **_: function  # type: ignore[assignment]
    for kind in kinds:
        wrong = [said for name in OPTIMIZERS for said in _wrong(name, kind, setting)]
        yield none_of(f"{len(OPTIMIZERS)} optimizers move all weights in {kind}", wrong)
    if not setting.on_gpu:
        yield not_shown("float16 with scaler and clipping", "needs a GPU")


def _wrong(name: str, kind: str, setting: Setting) -> Iterator[str]:
    torch.manual_seed(setting.seed)
    network = _Small().to(setting.device)
    before = [weight.detach().clone() for weight in network.parameters()]
    spec = replace(Experiments(REPOSITORY / "configs").compose({}).optimization, optimizer=name)
    try:
        _three_steps(network, make_optimizer(network, spec, fused=kind != "16"), kind, setting)
    except (RuntimeError, TypeError, ValueError, AssertionError) as error:
        yield f"{name}: {str(error).partition(chr(10))[0]}"
        return
    if not all(torch.isfinite(weight).all() for weight in network.parameters()):
        yield f"{name}: not finite"
    if any(torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True)):
        yield f"{name}: a weight stays"


def _three_steps(network: nn.Module, optimizer: torch.optim.Optimizer, kind: str, setting: Setting) -> None:
    """As Lightning makes them: float16 is unscaled before it is clipped, and takes no closure."""
    # A scale at which no gradient of so small a network overflows, or its step would be left out.
    scaler = torch.amp.GradScaler(setting.device, enabled=kind == "16", init_scale=256.0)

    def loss() -> Tensor:
        optimizer.zero_grad()
        with _autocast(setting, KINDS[kind]):
            value = (network(torch.randn(2, 3, 8, 8, device=setting.device)) - 1).float().pow(2).mean()
        scaler.scale(value).backward()
        return value

    for _ in range(3):
        if kind != "16":
            optimizer.step(loss)  # type: ignore[arg-type]
            continue
        loss()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()

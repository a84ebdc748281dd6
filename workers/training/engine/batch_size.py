"""`batch_size: auto`: the largest batch with which training and validation fit the device, found by trying.

Each size is tried as it will be used: real height and width, precision, loss, backward pass, a step of the
optimizer, which makes its state, and a validation pass, on a copy of the network. Sizes are doubled until
one does not fit, and then the gap is halved.

On a GPU a size fits when CUDA allocates it within the free memory less HEAD_ROOM. A CPU's memory has no such
refusal, the system ends the process instead, so no size is tried of which the last one's growth, image by
image, foretells that it does not fit; and as larger batches bring a CPU no speed, it stops at CPU_LARGEST.
"""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from lightning.fabric.utilities import move_data_to_device
from torch import nn

from trainyard.errors import CudaOutOfMemory, HostOutOfMemory
from trainyard.runs.events import Event, Notice
from trainyard.spec.training_spec import TrainingSpec
from trainyard.tasks.registry import needs_of
from workers.prepared.version import PreparedDataset
from workers.training.compute.devices import PROCESSOR
from workers.training.compute.memory import memory_that_ran_out, release_memory
from workers.training.compute.runtime import Precision
from workers.training.data.loaders import Batch
from workers.training.data.sampler import share_of
from workers.training.data.splits import split_samples
from workers.training.epochs.module import TrainingModule
from workers.training.network.normalization import Normalization
from workers.training.tasks.registry import task_of

HEAD_ROOM = 0.1
"""The share of free memory that is left over: images differ little, allocators fragment."""
CPU_LARGEST = 8
"""Images; cores share the work of each, so larger batches bring a CPU no speed, and make steps few."""
GPU_LARGEST = 256
"""Images; a GPU has been busy for long, and steps get few."""
_GIB = 2**30
_NO_RULE = Normalization(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


def with_found_batch(
    spec: TrainingSpec,
    network: nn.Module,
    prepared: PreparedDataset,
    precision: Precision,
    report: Callable[[Event], None],
    device: torch.device = PROCESSOR,
) -> TrainingSpec:
    """The spec with the size found, which is reported; raises an OutOfMemory where no batch fits."""
    train, _ = split_samples(prepared.samples, spec.data.val_fraction, spec.seed, spec.data.split_index)
    images = share_of(len(train), spec.compute.device_count)
    trial = Trial(spec, network, prepared, precision, device)
    fits = FitsGpu(trial, device) if device.type == "cuda" else FitsCpu(trial)
    most = min(images, GPU_LARGEST if device.type == "cuda" else CPU_LARGEST)
    with torch.random.fork_rng(devices=[]):
        found = largest_that_fits(fits, needs_of(spec.model.architecture).min_batch, most)
    release_memory()
    if found is None:
        ran_out = CudaOutOfMemory if device.type == "cuda" else HostOutOfMemory
        raise ran_out(
            f"{spec.model.architecture} with {spec.model.encoder} at {spec.data.image_size} px does not fit "
            f"into {fits.budget / _GIB:.1f} GiB, not even with the smallest batch.",
            errors={"spec": {"data": {"image_size": ["smaller"]}}},
        )
    report(
        Notice(
            message=f"batch_size auto: batches of {found} are used; {_limit(most, images, device)}, with "
            f"{fits.budget / _GIB:.1f} GiB of memory."
        )
    )
    return replace(spec, data=replace(spec.data, batch_size=found))


def _limit(most: int, images: int, device: torch.device) -> str:
    """Up to which size was tried, and why no further."""
    if most == images:
        why = "as many images as there are to train with"
    elif device.type == "cuda":
        why = "a GPU is busy with so many, and more make steps few"
    else:
        why = "on a CPU larger ones bring no speed"
    return f"up to {most} were tried, {why}"


def largest_that_fits(fits: Callable[[int], bool], least: int, most: int) -> int | None:
    """The largest size from `least` to `most` that fits, None where not even `least` does.

    A size that fits is taken to mean that all smaller ones do. Of two images the batch norms of any network
    are sure to have a variance, so 1 is tried only if 2 do not fit.
    """
    start = min(max(2, least), max(least, most))
    if not fits(start):
        return least if least < start and fits(least) else None
    good, bad = start, most + 1
    while bad - good > 1:
        middle = (good + bad) // 2
        tried = middle if bad <= most else min(2 * good, most)
        good, bad = (tried, bad) if fits(tried) else (good, tried)
    return good


class Trial:
    """One training step and one validation pass with a batch of a given size."""

    def __init__(
        self,
        spec: TrainingSpec,
        network: nn.Module,
        prepared: PreparedDataset,
        precision: Precision,
        device: torch.device,
    ) -> None:
        self._spec = replace(spec, compute=replace(spec.compute, compile=False))
        self._network = network
        self._objective = task_of(spec).objective(spec, prepared, None)
        self._precision = precision
        self._device = device

    def __call__(self, batch: int) -> None:
        """Raises what torch raises where memory ends."""
        module = self._module().to(self._device)
        optimizer = module.configure_optimizers()
        noise = self._objective.noise(batch, self._spec.data.image_size)
        on_device: Batch = move_data_to_device(noise, self._device)
        images, truth = on_device["image"], self._objective.truth(on_device)
        with self._autocast():
            loss = self._objective(module.train()(images, truth), truth)
        torch.autograd.backward(loss)
        optimizer.step()
        with torch.inference_mode(), self._autocast():
            self._objective(module.eval()(images, truth), truth)

    def _module(self) -> TrainingModule:
        fused, network = self._precision != "16-mixed", copy.deepcopy(self._network)
        return TrainingModule(network, self._objective, _NO_RULE, self._spec, fused=fused)

    def _autocast(self) -> AbstractContextManager[object]:
        types = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
        if self._precision not in types:
            return nullcontext()
        return torch.autocast(self._device.type, dtype=types[self._precision])


class FitsGpu:
    """Whether a batch keeps within `budget`, in bytes of a CUDA device."""

    def __init__(self, trial: Callable[[int], None], device: torch.device) -> None:
        self._trial = trial
        self._device = device
        free, _ = torch.cuda.mem_get_info(device)
        self.budget = int((free + torch.cuda.memory_reserved(device)) * (1 - HEAD_ROOM))

    def __call__(self, batch: int) -> bool:
        release_memory()
        torch.cuda.reset_peak_memory_stats(self._device)
        if not completes(self._trial, batch):
            return False
        return torch.cuda.max_memory_reserved(self._device) <= self.budget


class FitsCpu:
    """Whether a batch keeps within `budget`, in bytes of this machine's memory that are free now."""

    def __init__(self, trial: Callable[[int], None]) -> None:
        self._trial = trial
        self._before = _status_bytes("VmRSS")
        self._per_image = 0.0
        self.budget = int(available_memory() * (1 - HEAD_ROOM))

    def __call__(self, batch: int) -> bool:
        if self._per_image * batch > self.budget or not completes(self._trial, batch):
            return False
        growth = max(0, _status_bytes("VmHWM") - self._before)
        self._per_image = growth / batch
        return growth <= self.budget


def completes(trial: Callable[[int], None], batch: int) -> bool:
    """Whether the trial ends without a lack of memory; other errors are raised."""
    try:
        trial(batch)
    except RuntimeError as error:
        if memory_that_ran_out(error) is None:
            raise
        return False
    return True


def available_memory() -> int:
    """Bytes that this process may still take: the machine's, or its container's where that has less."""
    meminfo = Path("/proc/meminfo").read_text().split("MemAvailable:")[1]
    available = int(meminfo.split()[0]) * 1024
    group = Path("/sys/fs/cgroup")
    if (group / "memory.max").exists() and (limit := (group / "memory.max").read_text().strip()) != "max":
        # The page cache counts as used there, though what of it is idle is given back when needed.
        idle = int((group / "memory.stat").read_text().split("inactive_file ")[1].split()[0])
        available = min(available, int(limit) - int((group / "memory.current").read_text()) + idle)
    return max(0, available)


def _status_bytes(name: str) -> int:
    """A size of this process as Linux tells it: VmRSS now, VmHWM at its peak."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0]) * 1024

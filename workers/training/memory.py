"""When a device has not enough memory for a batch."""

import gc

import torch

from trainyard.catalog import needs_of
from trainyard.errors import CudaOutOfMemory, HostOutOfMemory, OutOfMemory
from trainyard.spec import TrainingSpec, with_batches

_CPU_ALLOCATOR = "DefaultCPUAllocator"
"""What torch's failures to get memory on a CPU, which have no type of their own, all name."""


def memory_that_ran_out(error: RuntimeError) -> type[OutOfMemory] | None:
    """Whose memory torch could get no more of, the device's or the machine's; None for any other error."""
    if isinstance(error, torch.OutOfMemoryError):
        return CudaOutOfMemory
    return HostOutOfMemory if _CPU_ALLOCATOR in str(error) else None


def with_half_the_batch(spec: TrainingSpec, ran_out: type[OutOfMemory]) -> TrainingSpec:
    """The spec with half the batch and twice the accumulation, so that a step is made of as many images.

    Raises an error of that kind where the architecture takes no smaller batch.
    """
    half, least = spec.data.batch // 2, needs_of(spec.model.architecture).min_batch
    if half < least:
        raise ran_out(
            f"{spec.model.architecture} with {spec.model.encoder} does not fit this worker's device at "
            f"{spec.data.image_size} px, even with batches of {spec.data.batch}.",
            errors={"spec": {"data": {"image_size": ["smaller"]}}},
        )
    return with_batches(spec, half, 2 * spec.optimization.accumulate_batches)


def with_smaller_batch_of(spec: TrainingSpec, earlier: TrainingSpec) -> TrainingSpec:
    """The spec, with the batches of an earlier attempt if that had to find them or make them smaller."""
    if not spec.data.finds_batch and earlier.data.batch >= spec.data.batch:
        return spec
    return with_batches(spec, earlier.data.batch, earlier.optimization.accumulate_batches)


def release_memory() -> None:
    """Give back what no object holds any more."""
    gc.collect()
    torch.cuda.empty_cache()

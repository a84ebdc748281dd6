"""When a device has not enough memory for a batch."""

import gc

import torch

from trainyard.errors import CudaOutOfMemory, OutOfMemory, TrainyardError
from trainyard.spec.training_spec import TrainingSpec, with_batches
from trainyard.tasks.registry import needs_of
from workers.process.error_texts import meaning_of

_ENOUGH_BYTES = 512 * 2**20
"""What cuDNN and cuBLAS take for themselves, and more."""
_CAUSES = 8
"""Errors that are followed back; a chain may be a circle."""


def memory_that_ran_out(error: BaseException) -> type[OutOfMemory] | None:
    """Whose memory could not be had, the device's or the machine's; None for any other error."""
    found = meaning_of_error(error)
    return found if found is not None and issubclass(found, OutOfMemory) else None


def meaning_of_error(error: BaseException) -> type[TrainyardError] | None:
    """Memory of either kind, the device, or None for an error that is none of their doing."""
    if isinstance(error, torch.OutOfMemoryError):
        return CudaOutOfMemory
    return meaning_of(whole_text(error), has_device_memory=_has_device_memory())


def whole_text(error: BaseException) -> str:
    """What an error says, and what those say that it was raised from: of loader processes only these do."""
    said: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(said) < _CAUSES:
        said.append(str(cause))
        cause = cause.__cause__
    return "\n".join(said)


def _has_device_memory() -> bool:
    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return False
    try:
        free, _ = torch.cuda.mem_get_info()
    except RuntimeError:  # a device that has failed answers nothing
        return True
    return free > _ENOUGH_BYTES


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

"""What this worker computes on, told without CUDA: a process that has touched it cannot fork."""

import platform

import psutil

from trainyard.catalog.names import GPU_CLASSES
from trainyard.store.processes.worker_record import DeviceFigures
from workers.devices.nvml import named, visible_gpus

UNKNOWN_GPU = "a GPU that its driver does not describe"


def device_of(queues: tuple[str, ...], visible: str | None) -> tuple[str, int]:
    """Name and bytes of memory of the device: a GPU for queues that need one, otherwise the processor.

    `visible` is CUDA_VISIBLE_DEVICES; of several GPUs it is the first, their number told in the name. One
    that the driver does not describe has 0 bytes.
    """
    found = device_figures(queues, visible)
    if not found:
        return UNKNOWN_GPU, 0
    first = found[0]
    return (f"{len(found)} × {first.name}" if len(found) > 1 else first.name), first.memory_total_bytes


def device_figures(queues: tuple[str, ...], visible: str | None) -> tuple[DeviceFigures, ...]:
    """What each GPU does at this moment for queues that need one, none where the driver tells of none;
    otherwise what the machine does. Asked twice, a processor is as busy as between the two times."""
    if any(queue in GPU_CLASSES for queue in queues):
        return tuple(visible_gpus(visible))
    memory = psutil.virtual_memory()
    return (
        DeviceFigures(
            name=platform.processor() or platform.machine(),
            memory_used_bytes=memory.total - memory.available,
            memory_total_bytes=memory.total,
            utilization=psutil.cpu_percent(interval=None) / 100,
            temperature_c=None,
        ),
    )


def gpus_to_use(visible: str | None) -> list[str]:
    """The GPUs that CUDA_VISIBLE_DEVICES names; where it is not set all, as the driver counts them."""
    return named(visible) if visible is not None else [str(i) for i in range(len(visible_gpus(None)))]

"""GPUs as the NVIDIA driver describes them, by its management library (NVML).

NVML makes nothing ready for CUDA, so that a process which has asked it may still fork. Where there is no
driver, or it has no answer, there are no GPUs to tell of: whether one that is needed can be used is CUDA's to
say (`cuda.py`).
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pynvml

from trainyard.store.processes.worker_record import DeviceFigures

logger = logging.getLogger(__name__)


def visible_gpus(visible: str | None) -> list[DeviceFigures]:
    """What the GPUs named by CUDA_VISIBLE_DEVICES do at this moment, None for all, in the order of their
    places on the bus; none where the driver is absent or knows one of them not."""
    try:
        with _nvml():
            return [_figures(handle) for handle in _handles(visible)]
    except pynvml.NVMLError as error:
        logger.debug("NVML: %s", error)
        return []


@contextmanager
def _nvml() -> Iterator[None]:
    pynvml.nvmlInit()
    try:
        yield
    finally:
        pynvml.nvmlShutdown()


def _handles(visible: str | None) -> list[Any]:
    if visible is None:
        return [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    return [_handle(name) for name in named(visible)]


def named(visible: str) -> list[str]:
    """The GPUs that a value of CUDA_VISIBLE_DEVICES names, by number or UUID; -1 is none."""
    return [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1")]


def _handle(name: str) -> Any:
    if name.isdecimal():
        return pynvml.nvmlDeviceGetHandleByIndex(int(name))
    return pynvml.nvmlDeviceGetHandleByUUID(name)


def _figures(handle: Any) -> DeviceFigures:
    """A part of a GPU (MIG) tells its memory, and neither how busy nor how warm it is."""
    memory = _told(lambda: pynvml.nvmlDeviceGetMemoryInfo(handle))
    busy = _told(lambda: pynvml.nvmlDeviceGetUtilizationRates(handle))
    return DeviceFigures(
        name=str(pynvml.nvmlDeviceGetName(handle)),
        memory_used_bytes=int(memory.used) if memory else None,
        memory_total_bytes=int(memory.total) if memory else 0,
        utilization=busy.gpu / 100 if busy else None,
        temperature_c=_told(lambda: pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)),
    )


def _told(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (pynvml.NVMLError_NotSupported, pynvml.NVMLError_NoPermission, pynvml.NVMLError_GpuIsLost):
        return None

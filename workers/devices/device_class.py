"""What this worker computes on, told without CUDA: a process that has touched it cannot fork."""

import os
import platform
import subprocess

from trainyard.catalog.names import GPU_CLASSES

_QUERY = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
_TIMEOUT_S = 20.0
UNKNOWN_GPU = "a GPU that nvidia-smi does not describe"
MEBIBYTE = 1024 * 1024


def device_of(queues: tuple[str, ...], visible: str | None) -> tuple[str, int]:
    """Name and bytes of memory of the device: a GPU for queues that need one, otherwise the processor.

    `visible` is CUDA_VISIBLE_DEVICES; of several GPUs it is the first, their number told in the name. One
    that the driver's tool does not describe has 0 bytes.
    """
    if not any(queue in GPU_CLASSES for queue in queues):
        return platform.processor() or platform.machine(), _machine_memory()
    gpus = _gpus(visible)
    if not gpus:
        return UNKNOWN_GPU, 0
    name, memory = gpus[0]
    return (f"{len(gpus)} × {name}" if len(gpus) > 1 else name), memory


def gpus_to_use(visible: str | None) -> list[str]:
    """The GPUs that CUDA_VISIBLE_DEVICES names; where it is not set all, as the driver's tool counts them."""
    if visible is not None:
        return [name.strip() for name in visible.split(",") if name.strip() not in ("", "-1")]
    return [str(place) for place in range(len(_gpus(None)))]


def _gpus(visible: str | None) -> list[tuple[str, int]]:
    """Name and bytes of each visible GPU; none where the driver's tool is absent or knows of none."""
    chosen = [f"--id={visible}"] if visible else []
    try:
        answer = subprocess.run(
            [*_QUERY, *chosen], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    rows = (line.rsplit(",", 1) for line in answer.stdout.splitlines() if line.strip())
    return [(name.strip(), _mebibytes(memory)) for name, memory in rows]


def _mebibytes(text: str) -> int:
    """Bytes; 0 where the driver does not say, as for a part of a GPU."""
    return int(text) * MEBIBYTE if text.strip().isdigit() else 0


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

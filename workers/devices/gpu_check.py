"""Whether this worker's GPUs do their work, found out by a child, since CUDA may not be used in a worker."""

import time
from dataclasses import dataclass

from trainyard.catalog.names import GPU_CLASSES
from trainyard.errors import DeviceFault
from workers.process.child import Child, Message

PROBE_CHILD = "workers.devices.gpu_probe_child"
PROBE_S = 120.0
"""How long a probe may take; a driver that hangs lets it take for ever."""
END_S = 10.0
"""How long the probe's process may take to end after its answer."""


@dataclass(frozen=True, kw_only=True)
class FoundGpu:
    """A GPU as CUDA calls it, and its memory."""

    name: str
    memory_bytes: int


def needs_gpu(queue: str) -> bool:
    """Whether the runs of that queue train on a GPU."""
    return queue in GPU_CLASSES


class GpuCheck:
    """The GPUs of a worker of these queues; there are none to check where no queue needs one."""

    def __init__(self, queues: tuple[str, ...], probe: str = PROBE_CHILD) -> None:
        """`probe` is the module of the child that tries them."""
        self._is_needed = any(map(needs_gpu, queues))
        self._probe = probe
        self._found: tuple[FoundGpu, ...] | None = None

    def doubt(self) -> None:
        """Forget that the GPUs have passed: something went wrong that may be their fault."""
        self._found = None

    def gpus(self) -> tuple[FoundGpu, ...]:
        """The GPUs, tried once unless in doubt again; raises DeviceFault for any that cannot be used."""
        if not self._is_needed:
            return ()
        if self._found is None:
            self._found = self._tried()
        return self._found

    def _tried(self) -> tuple[FoundGpu, ...]:
        child = Child(self._probe, {}, time.monotonic() + PROBE_S)
        answer: Message = {}
        end = time.monotonic() + PROBE_S
        while child.is_open and not answer and time.monotonic() < end:
            for message in child.messages(end - time.monotonic()):
                answer = message
        is_silent = not answer and child.is_open
        if is_silent:
            child.kill()
        code = child.wait(END_S)
        if "gpus" in answer:
            return tuple(FoundGpu(name=name, memory_bytes=memory) for name, memory in answer["gpus"])
        if "problem" in answer:
            raise DeviceFault(answer["problem"], remedy=answer["remedy"])
        how = f"gave no answer within {PROBE_S:.0f} s" if is_silent else f"ended with exit code {code}"
        raise DeviceFault(f"The process that tries the GPUs {how}.")

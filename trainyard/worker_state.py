"""Who works in the yard: workers that have given a sign of life lately."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WorkerState:
    """One worker process; times are seconds since 1970, UTC.

    `holds` is the run or data set that it has had in work since `since`; `device` is the name of its GPU, or
    of the processor where it has none, and `memory_bytes` the memory of that GPU or of the machine. `devices`
    is how many GPUs its runs may use; 0, of a worker without, lets them start any number of processes.
    """

    id: str
    host: str
    pid: int
    queues: tuple[str, ...]
    device: str
    memory_bytes: int
    started_at: float
    holds: str | None = None
    since: float | None = None
    devices: int = 0

    def has_devices_for(self, run_devices: int) -> bool:
        """Whether a run that wants so many devices can train here."""
        return self.devices == 0 or run_devices <= self.devices

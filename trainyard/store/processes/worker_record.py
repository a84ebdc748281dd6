"""Who works in the cluster: workers that have given a sign of life lately."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from trainyard.plugins.offers import Offer


@dataclass(frozen=True, kw_only=True)
class Housekeeping:
    """How many seconds ago a process' housekeeping last came round, None before the first time; `is_stalled`
    says that it is too long since."""

    seconds_ago: float | None = None
    is_stalled: bool = False


@dataclass(frozen=True, kw_only=True)
class DeviceFigures:
    """What a GPU does, or a machine whose processor trains: how busy it is from 0 to 1, its memory in bytes,
    its temperature in degrees Celsius; None for what it does not tell."""

    name: str
    memory_used_bytes: int | None
    memory_total_bytes: int
    utilization: float | None
    temperature_c: float | None


@dataclass(frozen=True, kw_only=True)
class WorkerState:
    """One worker process; times are seconds since 1970, UTC.

    `holds` is the run or data set that it has had in work since `since`, `finishing` the trained run whose
    results it writes beside that; `device` is the name of its GPU, or
    of the processor where it has none, and `memory_bytes` the memory of that GPU or of the machine. `devices`
    is how many GPUs its runs may use; 0, of a worker without, lets them start any number of processes.
    `attempt` is that of the run or set that it holds, `versions` by name those of Trainyard, Python and what
    it computes with. `spec_version` is the newest version of specs that its release reads; 0 of releases that
    did not tell. `offers` are what its plug-ins have beside that. `figures` are those of each GPU, or of the
    machine where it has none, as of its last sign of life.
    `housekeeping_at` is when its housekeeping last came round, None before the first time; `is_stalled` says
    that this was too long ago. A worker that `is_drained` takes nothing new, so that it serves no `queues`.
    `unreadable` says why nothing but the id is known of a worker.
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
    finishing: str | None = None
    housekeeping_at: float | None = None
    is_stalled: bool = False
    is_drained: bool = False
    unreadable: str | None = None
    devices: int = 0
    spec_version: int = 0
    attempt: int | None = None
    versions: dict[str, str] = field(default_factory=dict)
    figures: tuple[DeviceFigures, ...] = ()
    offers: tuple[Offer, ...] = ()

    def has_devices_for(self, run_devices: int) -> bool:
        """Whether a run that wants so many devices can train here."""
        return self.devices == 0 or run_devices <= self.devices

    def offers_all(self, keys: Iterable[str]) -> bool:
        """Whether its plug-ins offer all of these, by the keys of offers."""
        return {*keys} <= {offer.key for offer in self.offers}

    def reads(self, spec_version: int) -> bool:
        """Whether its release understands specs of that version, as far as it tells."""
        return self.spec_version == 0 or spec_version <= self.spec_version

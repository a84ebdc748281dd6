"""How many processes the kernel has killed here for want of memory.

Each control group counts those of its own that were killed, whether its own limit or the whole machine ran
out: `oom_kill` in memory.events (v2) or memory.oom_control (v1), see the kernel's cgroup documentation.
"""

from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
_COUNTER = "oom_kill"


class KernelKills:
    """Tells whether the kernel has killed a process since this was made."""

    def __init__(self) -> None:
        self._before = oom_kills()

    def have_risen(self) -> bool:
        """False also where nothing counts them."""
        now = oom_kills()
        return now is not None and self._before is not None and now > self._before


def oom_kills(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """The count for this process's group, or for the machine where no group counts; None where none does."""
    for path in _counters(proc, cgroups):
        if (count := _count(path)) is not None:
            return count
    return None


def _counters(proc: Path, cgroups: Path) -> Iterator[Path]:
    """Where the count may be, the best first.

    In a container the group's path, as the machine knows it, may not be there: its mount then begins at it.
    """
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            for folder in (path.lstrip("/"), ""):
                yield cgroups / "memory" / folder / "memory.oom_control"
        elif not controllers:
            for folder in (path.lstrip("/"), ""):
                yield cgroups / folder / "memory.events"
    yield proc / "vmstat"


def _count(path: Path) -> int | None:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    counts = [line.split()[1] for line in lines if line.startswith(f"{_COUNTER} ")]
    return int(counts[0]) if counts else None

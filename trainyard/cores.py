"""How many processor cores there are to compute with."""

import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def usable_cores(cgroups: Path = CGROUPS) -> int:
    """Cores that this process may use: the machine's, those it is pinned to, or its container's share.

    At least 1; a share of one and a half cores counts as two.
    """
    return max(1, min(_own_cores(), _quota(cgroups) or _own_cores()))


def _own_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(cgroups: Path) -> int | None:
    """What a container may use at once (cpu.max of cgroup v2, cpu.cfs_quota_us of v1); None without bound."""
    try:
        if (cgroups / "cpu.max").exists():
            quota, period = (cgroups / "cpu.max").read_text().split()
        else:
            quota = (cgroups / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (cgroups / "cpu/cpu.cfs_period_us").read_text().strip()
    except OSError:
        return None
    if quota in ("max", "-1"):
        return None
    return -(-int(quota) // int(period))

"""The heap of a process that trains."""

import subprocess
import sys
from pathlib import Path

import pytest

GROWN = """
import sys
from pathlib import Path
import torch
from workers.training.compute import runtime

def kib(name):
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(name))

def advised_mib(start, length):
    # What the kernel was asked for: what it has left in whole huge pages is no matter of ours.
    advised = 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, *rest = line.split()
        if "-" in name:
            low, high = (int(side, 16) for side in name.split("-"))
        elif name == "VmFlags:" and "hg" in rest:
            advised += max(0, min(high, start + length) - max(low, start))
    return advised >> 20

if sys.argv[1:]:
    runtime._OVERCOMMIT = Path(sys.argv[1])
before = kib("Rss:")
runtime.prepare_process(1)
reserved = kib("Rss:") - before
large = torch.ones(200 << 20, dtype=torch.uint8)
print(reserved >> 10, advised_mib(large.data_ptr(), large.numel()))
"""
HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def grown(*arguments: str) -> list[int]:
    """MiB that the preparation itself took, and of a used 200 MiB those that are to be of huge pages."""
    command = [sys.executable, "-c", GROWN, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(number) for number in done.stdout.split()]


needs_madvise = pytest.mark.skipif(
    not HUGE_PAGES.exists() or "[madvise]" not in HUGE_PAGES.read_text(),
    reason="this system gives huge pages to all or to nobody",
)


@needs_madvise
def test_large_arrays_lie_on_huge_pages_and_nothing_is_taken_before_it_is_used():
    taken, huge = grown()
    assert taken < 4
    assert huge >= 198


@needs_madvise
def test_nothing_is_reserved_where_the_system_counts_what_is_reserved(tmp_path):
    strict = tmp_path / "overcommit_memory"
    strict.write_text("2\n")
    assert grown(str(strict))[1] == 0

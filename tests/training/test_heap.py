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

if sys.argv[1:]:
    runtime._OVERCOMMIT = Path(sys.argv[1])
before = kib("Rss:")
runtime.prepare_process(1)
reserved = kib("Rss:") - before
large = torch.ones(200 << 20, dtype=torch.uint8)
print(reserved >> 10, kib("AnonHugePages:") >> 10)
"""
HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def grown(*arguments: str) -> list[int]:
    """MiB that the preparation itself took, and of huge pages once 200 MiB are used."""
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
    assert huge >= 150


@needs_madvise
def test_nothing_is_reserved_where_the_system_counts_what_is_reserved(tmp_path):
    strict = tmp_path / "overcommit_memory"
    strict.write_text("2\n")
    assert grown(str(strict))[1] < 150

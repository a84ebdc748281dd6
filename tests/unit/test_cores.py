"""The cores that a process may use, in and out of containers."""

import os
from pathlib import Path

import pytest

from trainyard.cores import usable_cores

OWN = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000", OWN),
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("150000 100000", min(2, OWN)),
        ("", OWN),
    ],
)
def test_a_container_has_its_share(tmp_path: Path, quota: str, cores: int):
    if quota:
        (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert usable_cores(tmp_path) == cores


def test_the_first_version_of_control_groups(tmp_path: Path):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    for quota, cores in (("-1", OWN), ("100000", 1)):
        (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
        assert usable_cores(tmp_path) == cores

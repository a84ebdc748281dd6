"""What an exit code means, with what the kernel counted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trainyard.errors import ChildDied, EngineError, HostOutOfMemory, LoaderDied, Segfault
from workers.process import oom_kills as oom_kills_module
from workers.process.exit_diagnosis import PostMortem
from workers.process.oom_kills import oom_kills
from workers.process.peak_memory import peak_memory

V2 = "0::/system.slice/cluster.service\n"
V1 = "5:cpu,cpuacct:/a\n4:memory:/a/b\n0::/\n"


@pytest.fixture
def machine(tmp_path: Path):
    """A machine's files: the process's groups, and the one counter that it has, if any."""

    def lay(membership: str, place: str | None = None) -> tuple[Path, Path]:
        (tmp_path / "proc" / "self").mkdir(parents=True)
        (tmp_path / "proc" / "self" / "cgroup").write_text(membership)
        if place:
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_text("oom_kill_disable 0\noom 7\noom_kill 3\noom_group_kill 1\n")
        return tmp_path / "proc", tmp_path / "cgroup"

    return lay


@pytest.mark.parametrize(
    ("membership", "place"),
    [
        (V2, "cgroup/system.slice/cluster.service/memory.events"),
        (V2, "cgroup/memory.events"),
        (V1, "cgroup/memory/a/b/memory.oom_control"),
        (V1, "cgroup/memory/memory.oom_control"),
        (V1, "proc/vmstat"),
    ],
)
def test_the_count_is_found_where_the_machine_keeps_it(machine, membership, place):
    assert oom_kills(*machine(membership, place)) == 3


def test_a_machine_that_counts_nothing(machine):
    assert oom_kills(*machine(V2)) is None
    assert oom_kills(Path("/nonexistent"), Path("/nonexistent")) is None


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch):
    """Sets how many processes the kernel has killed."""

    def count(number: int | None) -> None:
        monkeypatch.setattr(oom_kills_module, "oom_kills", lambda: number)

    return count


@pytest.mark.parametrize(
    ("code", "before", "after", "kind"),
    [
        (-signal.SIGKILL, 1, 2, HostOutOfMemory),
        (-signal.SIGKILL, 1, 1, ChildDied),
        (-signal.SIGKILL, None, None, ChildDied),
        (-signal.SIGTERM, 1, 2, ChildDied),
        (-signal.SIGSEGV, 1, 1, Segfault),
        (-signal.SIGBUS, 1, 1, Segfault),
        (-signal.SIGABRT, 1, 1, Segfault),
        (1, 1, 1, EngineError),
        (77, 1, 1, ChildDied),
        (0, 1, 1, ChildDied),
        (None, 1, 1, ChildDied),
    ],
)
def test_causes_of_death(counted, tmp_path: Path, code, before, after, kind):
    counted(before)
    found = PostMortem(tmp_path / "log")
    counted(after)
    assert type(found.cause_of_death(code)) is kind


def test_the_message_tells_the_last_line_of_the_log(tmp_path: Path):
    (tmp_path / "log").write_text("one\ntwo\n")
    assert (
        PostMortem(tmp_path / "log")
        .cause_of_death(3)
        .message.endswith("code 3 and no result. Its log ends: two")
    )


def test_the_peak_of_memory_is_the_process_s_own_and_outlives_it(tmp_path: Path):
    """A process of 60 MB whose parent is far larger; ru_maxrss would be the parent's."""
    ballast = bytearray(300_000_000)
    script = "import sys; x = b'1' * 60_000_000; print(); sys.stdin.read()"
    found = PostMortem(tmp_path / "log")
    with subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1) as process:
        process.stdout.read(1)
        found.watch(process.pid)
        process.kill()
    found.watch(process.pid)
    peak = found.failure({"device_peak_bytes": 7}, 1)["peak_memory"]
    assert 60_000_000 < peak["process_bytes"] < len(ballast)
    assert peak["device_bytes"] == 7
    assert peak_memory(process.pid) is None
    assert (peak_memory(os.getpid()) or 0) > 10_000_000


@pytest.mark.parametrize(
    ("raised", "before", "after", "code"),
    [
        (LoaderDied, 1, 2, "host_out_of_memory"),
        (LoaderDied, 1, 1, "loader_died"),
        (LoaderDied, None, None, "loader_died"),
        (EngineError, 1, 2, "engine_error"),
    ],
)
def test_a_loader_that_the_kernel_killed_tells_of_memory(counted, tmp_path, raised, before, after, code):
    counted(before)
    found = PostMortem(tmp_path / "log")
    counted(after)
    told = found.explained({**raised("DataLoader worker is killed").to_dict(), "device_peak_bytes": 3})
    assert (told["code"], told["device_peak_bytes"]) == (code, 3)
    assert "loader_workers" in told["remedy"] or "loader processes" in told["remedy"] or raised is EngineError

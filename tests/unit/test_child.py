"""Processes out of the forkserver: messages both ways, and what each side sees of the other's end."""

import os
import signal
import subprocess
import sys
import time

import pytest

from workers.child import Child

ECHO = "tests.unit.echo_child"


def received(child: Child, seconds: float = 20) -> list[dict]:
    end = time.monotonic() + seconds
    messages = []
    while child.is_open and time.monotonic() < end:
        messages.extend(child.messages(0.1))
    return messages


def test_messages_go_down_and_up_and_the_exit_code_is_told():
    child = Child(ECHO, {"exit": 3})
    child.send({"say": "hello"})
    assert received(child) == [{"echo": "hello"}]
    assert child.wait(5) == 3


def test_a_killed_child_is_seen_as_such():
    child = Child(ECHO, {"exit": 0})
    child.kill()
    assert received(child) == []
    assert child.wait(5) == -signal.SIGKILL


def test_a_child_that_does_not_end_is_killed():
    child = Child(ECHO, {"hang": True})
    child.send({"say": "x"})
    assert next(iter(child.messages(20))) == {"echo": "x"}
    assert child.wait(0.2) == -signal.SIGKILL


def test_sending_to_an_ended_child_is_harmless():
    child = Child(ECHO, {"exit": 0})
    child.kill()
    received(child)
    child.send({"say": "nobody hears"})
    child.wait(5)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_with_its_supervisor(how):
    """The supervisor is killed while its child works; the child must not go on alone."""
    script = (
        "import time; from workers.child import Child\n"
        f"child = Child({ECHO!r}, {{'hang': True, 'pid': True}})\n"
        "print(next(iter(child.messages(30)))['pid'], flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as supervisor:
        pid = int(supervisor.stdout.readline())
        supervisor.send_signal(how)
        supervisor.wait()
    end = time.monotonic() + 10
    while time.monotonic() < end and os.path.exists(f"/proc/{pid}"):
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{pid}")

"""Processes out of the forkserver: messages both ways, and what each side sees of the other's end."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.waits import Limit, scaled, wait_for
from trainyard.errors import ChildDied
from workers.process import child as child_module
from workers.process.child import FENCED, Child

FOREVER = float("inf")
ECHO = "tests.unit.echo_child"


def received(child: Child) -> list[dict]:
    limit = Limit(20)
    messages = []
    while child.is_open and not limit.has_passed:
        messages.extend(child.messages(0.1))
    return messages


def echoes(child: Child, word: str) -> None:
    child.send({"say": word})
    assert next(iter(child.messages(scaled(20)))) == {"echo": word}


def test_messages_go_down_and_up_and_the_exit_code_is_told():
    child = Child(ECHO, {"exit": 3}, FOREVER)
    child.send({"say": "hello"})
    assert received(child) == [{"echo": "hello"}]
    assert child.wait(scaled(20)) == 3


def test_a_killed_child_is_seen_as_such():
    child = Child(ECHO, {"exit": 0}, FOREVER)
    child.kill()
    assert received(child) == []
    assert child.wait(scaled(20)) == -signal.SIGKILL


def test_a_child_that_does_not_end_is_killed():
    child = Child(ECHO, {"hang": True}, FOREVER)
    echoes(child, "x")
    assert child.wait(0.2) == -signal.SIGKILL


def test_a_child_that_cannot_be_ended_is_given_up(monkeypatch):
    """As one that is stuck in a driver: killing it changes nothing."""
    child = Child(ECHO, {"hang": True}, FOREVER)
    monkeypatch.setattr(child_module, "KILLED_S", 0.2)
    monkeypatch.setattr(child._process, "kill", lambda: None)
    monkeypatch.setattr(child, "_signal", lambda number: None)
    assert child.wait(0.1) is None
    monkeypatch.undo()
    child.kill()
    child._process.join(scaled(20))


def test_a_server_that_never_gets_ready_is_waited_for_no_longer(monkeypatch):
    monkeypatch.setattr(child_module, "SERVER_S", 0.0)
    monkeypatch.setattr(child_module._Ready, "server", None)
    with pytest.raises(ChildDied, match="not ready"):
        child_module.await_server()


def test_a_server_that_was_found_ready_is_asked_no_more_until_it_dies(monkeypatch):
    child_module.await_server()
    monkeypatch.setattr(child_module, "SERVER_S", 0.0)
    child_module.await_server()
    os.kill(child_module._Ready.server, signal.SIGKILL)
    monkeypatch.setattr(child_module, "SERVER_S", scaled(600))
    before = child_module._Ready.server
    wait_for(lambda: (child_module.await_server(), child_module._Ready.server)[1] != before)


def test_sending_to_an_ended_child_is_harmless():
    child = Child(ECHO, {"exit": 0}, FOREVER)
    child.kill()
    received(child)
    child.send({"say": "nobody hears"})
    child.wait(scaled(20))


def test_the_last_words_of_a_child_are_heard_by_whoever_speaks_first():
    """A supervisor that sends to a child which has just said its result and ended must not miss it."""
    child = Child(ECHO, {"exit": 0}, FOREVER)
    child.send({"say": "the result"})
    child._process.join(scaled(20))
    child.send({"say": "to the dead"})
    assert received(child) == [{"echo": "the result"}]
    assert child.wait(scaled(20)) == 0


def test_a_child_that_may_not_go_on_ends_by_itself():
    child = Child(ECHO, {"hang": True}, time.monotonic() + 1)
    assert received(child) == []
    assert child.wait(scaled(20)) == FENCED


def test_a_child_born_too_late_begins_nothing():
    child = Child(ECHO, {"exit": 0}, time.monotonic() - 1)
    child.send({"say": "hello"})
    assert received(child) == []
    assert child.wait(scaled(20)) == FENCED


def test_a_child_that_is_allowed_on_goes_on():
    end = time.monotonic() + scaled(3)
    child = Child(ECHO, {"hang": True}, end)
    echoes(child, "begun")
    child.allow(time.monotonic() + scaled(60))
    time.sleep(max(0.0, end - time.monotonic()) + 1)
    echoes(child, "still here")
    child.kill()
    child.wait(scaled(20))


def test_a_halted_child_does_nothing_until_it_may():
    end = time.monotonic() + scaled(3)
    child = Child(ECHO, {"hang": True}, end)
    echoes(child, "begun")
    child.pause()
    while psutil.Process(child.pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.01)  # on a busy machine it may run on for a moment
    child.send({"say": "hello"})
    time.sleep(max(0.0, end - time.monotonic()) + 0.6)  # its time runs out while it is halted
    assert list(child.messages(0.1)) == []
    child.allow(time.monotonic() + scaled(60))
    child.go_on()
    assert next(iter(child.messages(scaled(20)))) == {"echo": "hello"}
    child.kill()
    child.wait(scaled(20))


@pytest.mark.parametrize("halted", [False, True])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_ends_with_its_supervisor(how, halted):
    """The supervisor is killed while its child works, or is halted; the child must not stay."""
    script = (
        "import time; from workers.process.child import Child\n"
        f"child = Child({ECHO!r}, {{'hang': True, 'pid': True}}, float('inf'))\n"
        f"pid = next(iter(child.messages({scaled(30)})))['pid']\n"
        f"child.pause() if {halted} else None\n"
        "print(pid, flush=True)\n"
        "time.sleep(3600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as supervisor:
        pid = int(supervisor.stdout.readline())
        supervisor.send_signal(how)
        supervisor.wait()
    wait_for(lambda: not _lives(pid))


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

"""What a stack on one machine makes for itself and keeps: passwords, ports, the order of its processes."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from deploy.processes.environment import (
    has_own_redis,
    joined_environment,
    own_redis_url,
    redis_password_file,
    stack_environment,
)
from deploy.processes.passwords import made_password, present_password
from deploy.processes.ports import flower_port, redis_port, refuse_equal, refuse_taken
from deploy.processes.supervision import configuration
from deploy.redis import free_port
from tests.waits import wait_for
from trainyard.errors import SettingsError
from trainyard.settings import REPOSITORY, Settings

OLD = """#!/bin/sh
exec {python} -c 'import sys; sys.version_info = ({version}); exec(sys.argv[1])' "$2"
"""


@pytest.fixture(autouse=True)
def _no_ports_of_ones_own(monkeypatch: pytest.MonkeyPatch):
    for name in ("TRAINYARD_REDIS_PORT", "TRAINYARD_FLOWER_PORT", "TRAINYARD_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(port=9000, storage=tmp_path / "storage")


def test_a_password_is_made_once_and_for_its_user_alone(tmp_path: Path):
    path = tmp_path / "stack" / "password"
    password = made_password(path)
    assert len(password) >= 43
    assert (made_password(path), present_password(path)) == (password, password)
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent)] == [0o600, 0o700]
    assert [one.name for one in path.parent.iterdir()] == ["password"]
    assert made_password(tmp_path / "other") != password


@pytest.mark.parametrize("content", ["", "\n", "  \n"])
def test_an_empty_file_is_no_password(tmp_path: Path, content: str):
    path = tmp_path / "password"
    path.write_text(content)
    with pytest.raises(SettingsError, match="No stack was started here"):
        present_password(path)
    assert len(made_password(path)) >= 43


def test_a_password_of_ones_own_is_kept_and_closed_to_others(tmp_path: Path):
    path = tmp_path / "password"
    path.write_text("of my own\n")
    path.chmod(0o644)
    assert made_password(path) == "of my own"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("password", ["plain", "p@ss/w:rd %41 #?", 'quo"te\\ back', "größer"])
def test_any_password_reaches_client_and_address(settings: Settings, password: str):
    made_password(redis_password_file(settings))
    redis_password_file(settings).write_text(password)
    client = redis.Redis.from_url(own_redis_url(settings))
    given = client.connection_pool.connection_kwargs
    assert (given["password"], given["port"], given["host"]) == (password, 9002, "127.0.0.1")


def test_the_server_asks_for_whatever_password_there_is(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRAINYARD_REDIS_PORT", str(free_port()))
    monkeypatch.setenv("TRAINYARD_STORAGE", str(settings.storage))
    made_password(redis_password_file(settings))
    redis_password_file(settings).write_text('p@ss "w\\rd" größer\n')
    with subprocess.Popen([sys.executable, "-m", "deploy.redis"], cwd=REPOSITORY) as server:
        try:
            assert answers(own_redis_url(settings))
            with pytest.raises(redis.AuthenticationError):
                redis.Redis(port=redis_port(settings)).ping()
        finally:
            server.terminate()
    assert server.returncode == 0


def answers(url: str) -> bool:
    """Whether the server that is being started answers its client in the end."""
    with redis.Redis.from_url(url) as client:

        def ping() -> bool:
            try:
                return bool(client.ping())
            except redis.ConnectionError as error:
                if isinstance(error, redis.AuthenticationError):
                    raise
                return False

        return wait_for(ping)


def test_ports_follow_the_apis_or_are_stated(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    assert (flower_port(settings), redis_port(settings)) == (9001, 9002)
    monkeypatch.setenv("TRAINYARD_REDIS_PORT", "6400")
    monkeypatch.setenv("TRAINYARD_FLOWER_PORT", "")
    assert (flower_port(settings), redis_port(settings)) == (9001, 6400)


@pytest.mark.parametrize("value", ["0", "65536", "-1", "x", "6_4", "٣", " 80", "9" * 5000])
def test_a_port_that_is_none_names_its_variable(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, value: str
):
    monkeypatch.setenv("TRAINYARD_REDIS_PORT", value)
    with pytest.raises(SettingsError, match="TRAINYARD_REDIS_PORT must be a whole number"):
        redis_port(settings)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_is_taken_only_while_somebody_listens(host: str):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port}, for Redis, .* by another program") as refused:
            refuse_taken(host, port, "Redis", "TRAINYARD_REDIS_PORT")
        assert "TRAINYARD_REDIS_PORT" in refused.value.remedy
    refuse_taken(host, port, "Redis", "TRAINYARD_REDIS_PORT")


def test_two_processes_of_a_stack_have_no_port_in_common():
    refuse_equal({"TRAINYARD_PORT": 9000, "TRAINYARD_FLOWER_PORT": 9001, "TRAINYARD_REDIS_PORT": 9002})
    with pytest.raises(SettingsError, match="9001 is that of TRAINYARD_FLOWER_PORT and"):
        refuse_equal({"TRAINYARD_PORT": 9000, "TRAINYARD_FLOWER_PORT": 9001, "TRAINYARD_REDIS_PORT": 9001})


def test_who_joins_has_the_address_that_the_stack_has(settings: Settings):
    with pytest.raises(SettingsError):
        joined_environment(settings)
    url = stack_environment(settings)["TRAINYARD_REDIS_URL"]
    assert joined_environment(settings)["TRAINYARD_REDIS_URL"] == url
    assert has_own_redis(settings)
    assert has_own_redis(Settings(port=9000, storage=settings.storage, redis_url=url))
    assert not has_own_redis(Settings(port=9000, storage=settings.storage, redis_url="redis://elsewhere/0"))


def test_redis_starts_first_and_stops_last():
    text = configuration({"redis": "r", "web": "python -m app", "worker": "w %s"})
    assert "[group:service]\nprograms = web,worker\npriority = 2" in text
    assert "[program:redis]\ncommand = r\npriority = 1" in text
    assert "command = w %%s" in text
    assert "[group:" not in configuration({"redis": "r"})


@pytest.mark.parametrize("version", ["2, 7, 18", "3, 9, 18", "3, 10, 13"])
def test_make_with_an_older_python_says_so_in_one_line(tmp_path: Path, version: str):
    make = old_python(tmp_path, version)
    assert make.returncode == 2
    said = [line for line in make.stderr.splitlines() if not line.startswith("make: ***")]
    assert said == [
        f"Trainyard needs Python 3.11 or later; ./old is {version.replace(', ', '.')}. "
        "Name another one: make PYTHON=python3.11 ..."
    ]
    assert make.stdout == ""
    assert not (tmp_path / ".venv").exists()


def old_python(folder: Path, version: str) -> subprocess.CompletedProcess[str]:
    """`make lint` in a copy without an environment, by a Python that says it is of that version."""
    python = REPOSITORY / ".venv" / "bin" / "python"
    (folder / "old").write_text(OLD.format(python=python, version=version))
    (folder / "old").chmod(0o755)
    for needed in ("requirements.txt", "pyproject.toml"):
        (folder / needed).touch()
    (folder / "Makefile").write_text((REPOSITORY / "Makefile").read_text())
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", "lint", "PYTHON=./old"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

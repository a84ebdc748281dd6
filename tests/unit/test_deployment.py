"""What the deployment files promise: hardened services that probe themselves, GPUs one by one, images that
hold all that their processes import."""

import ast
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import compose_env
from trainyard.__main__ import main
from trainyard.settings import REPOSITORY, Settings
from trainyard.store.connection import connect
from trainyard.store.processes.worker_record import WorkerState
from trainyard.store.processes.workers import WorkerStore

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
IMAGES = {name: (REPOSITORY / "deploy" / f"Dockerfile.{name}").read_text() for name in ("web", "worker")}
OURS = ("trainyard", "app", "workers", "deploy", "trainyard_client", "trainyard_local")


def devices(service: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        service.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", [])
    )
    return found


def test_without_a_profile_nothing_needs_a_gpu():
    plain = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert plain == {"redis", "web", "worker", "ingest", "flower"}
    assert [name for name in plain if devices(SERVICES[name])] == []
    assert SERVICES["worker"]["environment"]["TRAINYARD_DEVICE_CLASSES"] == "cpu"


def test_each_worker_of_a_gpu_is_pinned_to_one_of_its_own():
    pinned = {name: [one["device_ids"] for one in devices(service)] for name, service in SERVICES.items()}
    assert {name: ids for name, ids in pinned.items() if ids} == {
        "worker-gpu-0": [["0"]],
        "worker-gpu-1": [["1"]],
    }
    assert not any("count" in device for service in SERVICES.values() for device in devices(service))


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened_and_probes_itself(name: str):
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "max-size" in service["logging"]["options"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    if "build" in service:
        image = IMAGES[service["build"]["dockerfile"].rpartition(".")[2]]
        assert re.search(r"^USER trainyard$", image, re.MULTILINE)
    else:
        assert service["user"] == "redis"


def test_caches_of_the_image_lie_in_a_volume_that_its_user_may_write():
    image = IMAGES["worker"]
    places = dict(part.split("=") for part in image.split("ENV ")[1].split() if "=" in part)
    caches = {name: place for name, place in places.items() if name.endswith(("HOME", "CACHE_DIR"))}
    assert {"HF_HOME", "TORCH_HOME", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"} < caches.keys()
    assert all(place.startswith("/cache") for place in caches.values())
    assert "install -d -o trainyard /storage /cache" in image
    of_workers = [one for one in SERVICES.values() if "Dockerfile.worker" in str(one.get("build"))]
    assert all("cache:/cache" in one["volumes"] for one in of_workers)
    assert "gcc" in image, "torch.compile needs a compiler"


def copied(image: str) -> dict[str, str]:
    """What an image has of the repository: sources by their places."""
    lines = re.findall(r"^COPY (.*) (\S+)$", IMAGES[image], re.MULTILINE)
    return {source: place for sources, place in lines for source in sources.split()}


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_holds_what_it_copies_and_all_that_it_imports(image: str):
    sources = copied(image)
    assert [source for source in sources if not (REPOSITORY / source).exists()] == []
    rooms = {source for source in sources if source in OURS}
    files = [path for room in rooms - {"deploy"} for path in (REPOSITORY / room).rglob("*.py")]
    if "deploy" in rooms:  # it has the tools of a stack, too, which no image runs
        files += [REPOSITORY / "deploy" / f"{name}.py" for name in ("flower", "probe")]
    imported = {name for path in files for name in imports(path)}
    assert {name for name in imported if name in OURS} <= rooms


def imports(path: Path) -> Iterator[str]:
    """The top packages that a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_probes_are_modules_that_their_images_have():
    for service in SERVICES.values():
        command = service["healthcheck"]["test"][1:]
        if command[0] == "python":
            image = service["build"]["dockerfile"].rpartition(".")[2]
            assert command[1] == "-m"
            assert command[2].partition(".")[0] in copied(image)


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not installed")
@pytest.mark.parametrize("arguments", [[], ["--gpu"]], ids=str)
def test_compose_takes_the_file_as_make_env_fills_it_in(tmp_path: Path, arguments: list[str]):
    shutil.copy(REPOSITORY / "docker-compose.yml", tmp_path)
    command = [sys.executable, str(REPOSITORY / "deploy" / "compose_env.py"), *arguments]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    subprocess.run(["docker-compose", "config", "--quiet"], cwd=tmp_path, check=True)
    assert ("COMPOSE_PROFILES=gpu\n" in (tmp_path / ".env").read_text()) == bool(arguments)


def test_an_env_file_is_made_once_for_its_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert compose_env.main([]) == 0
    key = re.search(r"^  (\S{40,})$", capsys.readouterr().out, re.MULTILINE)
    assert key
    written = Path(".env").read_text()
    assert stat.S_IMODE(Path(".env").stat().st_mode) == 0o600
    assert f"TRAINYARD_API_KEY_HASHES={sha256(key[1].encode()).hexdigest()}\n" in written
    assert key[1] not in written
    assert compose_env.main(["--gpu"]) == 1
    assert Path(".env").read_text() == written
    needed = set(re.findall(r"\$\{(\w+):\?", (REPOSITORY / "docker-compose.yml").read_text()))
    assert needed == {line.partition("=")[0] for line in written.splitlines()}


def test_a_container_is_alive_while_its_worker_is(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TRAINYARD_REDIS_URL", redis_url)
    monkeypatch.setenv("TRAINYARD_STORAGE", str(tmp_path))
    monkeypatch.setattr("socket.gethostname", lambda: "box")
    workers = WorkerStore(connect(Settings.from_environment().broker_url))

    def beat(worker_id: str, host: str, *, is_stalled: bool = False) -> None:
        workers.beat(
            WorkerState(
                id=worker_id,
                host=host,
                pid=1,
                queues=("cpu",),
                device="d",
                memory_bytes=1,
                started_at=1.0,
                is_stalled=is_stalled,
            )
        )

    beat("elsewhere", "other")
    assert main(["alive"]) == 1
    beat("here", "box")
    assert main(["alive"]) == 0
    beat("here", "box", is_stalled=True)
    assert main(["alive"]) == 1
    monkeypatch.setenv("TRAINYARD_REDIS_URL", "redis://127.0.0.1:1/0")
    assert main(["alive"]) == 2

"""Flower as the stack starts it, over real HTTP."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from deploy.redis import free_port
from tests.api.server import environment
from tests.waits import scaled, wait_for
from trainyard.settings import REPOSITORY


@pytest.fixture
def flower(redis_url: str) -> Iterator[httpx.Client]:
    port = free_port()
    variables = environment(
        TRAINYARD_REDIS_URL=redis_url, TRAINYARD_FLOWER_PORT=str(port), TRAINYARD_ALLOWED_HOSTS="yard.example"
    )
    variables.pop("FLOWER_BASIC_AUTH", None)
    process = subprocess.Popen([sys.executable, "-m", "deploy.flower"], cwd=REPOSITORY, env=variables)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=scaled(30)) as client:
            _await(client, process)
            yield client
    finally:
        process.terminate()
        process.wait(scaled(30))


def _await(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        assert process.poll() is None, "Flower did not start."
        try:
            return bool(client.get("/healthcheck"))
        except httpx.TransportError:
            return False

    wait_for(answers)


def test_flower_without_a_password_is_closed_to_pages_of_others(flower: httpx.Client):
    assert flower.get("/healthcheck").status_code == 200
    assert flower.get("/workers").status_code == 200
    assert flower.get("/workers", headers={"Host": "yard.example:8001"}).status_code == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert flower.get("/workers", headers=link).status_code == 200
    for headers in (
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ):
        assert flower.get("/workers", headers=headers).status_code == 403
        assert flower.post("/api/worker/shutdown/any", headers=headers).status_code == 403

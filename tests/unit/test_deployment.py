"""What the deployment files promise of GPUs and caches."""

from typing import Any

import yaml

from trainyard.settings import REPOSITORY

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
IMAGE = (REPOSITORY / "deploy" / "Dockerfile.worker").read_text()


def devices(service: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service["deploy"]["resources"]["reservations"]["devices"]
    return found


def test_each_worker_is_pinned_to_a_gpu_of_its_own():
    workers = [service for name, service in COMPOSE["services"].items() if name.startswith("worker")]
    pinned = [device["device_ids"] for worker in workers for device in devices(worker)]
    assert pinned == [["0"], ["1"]]
    assert not any("count" in device for worker in workers for device in devices(worker))


def test_caches_of_the_image_lie_in_a_volume_that_its_user_may_write():
    places = dict(part.split("=") for part in IMAGE.split("ENV ")[1].split() if "=" in part)
    caches = {name: place for name, place in places.items() if name.endswith(("HOME", "CACHE_DIR"))}
    assert {"HF_HOME", "TORCH_HOME", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"} < caches.keys()
    assert all(place.startswith("/cache") for place in caches.values())
    assert "install -d -o trainyard /storage /cache" in IMAGE
    assert "cache:/cache" in COMPOSE["services"]["worker"]["volumes"]


def test_the_image_can_compile():
    assert "gcc" in IMAGE

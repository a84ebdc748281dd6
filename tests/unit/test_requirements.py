"""The locks: one for each role, all of the same versions, and the API's without what only workers need."""

import re

import pytest

from trainyard.settings import REPOSITORY

PIN = re.compile(r"^([a-z0-9._-]+)==(\S+)(.*)$", re.MULTILINE)


def pins(path: str) -> set[tuple[str, str]]:
    return {(name, version) for name, version, _ in PIN.findall((REPOSITORY / path).read_text())}


@pytest.mark.parametrize("role", ["web", "worker"])
def test_a_roles_lock_is_part_of_the_whole(role: str):
    assert pins(f"requirements/{role}.txt")
    assert pins(f"requirements/{role}.txt") <= pins("requirements.txt")


def test_the_api_carries_no_torch():
    names = {name for name, _ in pins("requirements/web.txt")}
    assert {"flask", "celery", "redis"} <= names
    assert not names & {"torch", "torchvision", "lightning", "numpy", "opencv-python-headless"}


def test_the_lock_for_older_drivers_differs_in_what_goes_with_cuda_alone():
    usual, older = pins("requirements/worker.txt"), pins("requirements/worker-cuda12.txt")
    assert {name for name, _ in older - usual if not name.startswith("nvidia-")} == {
        *("torch", "torchvision", "triton", "cuda-bindings"),
    }
    assert {name for name, _ in older if name.startswith("nvidia-cuda-runtime")} == {
        "nvidia-cuda-runtime-cu12"
    }


@pytest.mark.parametrize(
    "path",
    ["requirements.txt", *(f"requirements/{role}.txt" for role in ("web", "worker", "worker-cuda12"))],
)
def test_a_lock_names_no_place(path: str):
    assert "://" not in (REPOSITORY / path).read_text()

"""What each room pulls in when it is imported, seen in a process of its own."""

import subprocess
import sys

import pytest

from trainyard.settings import REPOSITORY

_CHECK = """
import importlib, pkgutil, sys
room = importlib.import_module({room!r})
for module in pkgutil.walk_packages(room.__path__, {room!r} + "."):
    importlib.import_module(module.name)
print(*sorted(set({forbidden!r}) & set(sys.modules)))
"""
HEAVY = ("torch", "lightning", "cv2", "numpy", "segmentation_models_pytorch")


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("app", ("workers", *HEAVY)),
        ("trainyard", ("app", "workers", "flask", "flask_smorest", *HEAVY)),
    ],
)
def test_a_room_stays_light(room: str, forbidden: tuple[str, ...]):
    code = _CHECK.format(room=room, forbidden=forbidden)
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == ""

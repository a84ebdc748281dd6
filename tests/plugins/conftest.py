"""The plug-in `acme`, registered for a test as if TRAINYARD_PLUGINS named it."""

import importlib

import pytest

from workers.plugins import registry

ACME = "tests.plugins.acme"


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, and in those that it starts; nothing is registered before or after."""
    monkeypatch.setenv("TRAINYARD_PLUGINS", ACME)
    monkeypatch.setattr(registry, "_registered", {})
    importlib.reload(importlib.import_module(ACME))

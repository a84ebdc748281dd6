"""What the processes of a stack find in their environment: the address of its Redis, Flower's login."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from deploy.processes.passwords import folder_of, made_password, present_password
from deploy.processes.ports import redis_port
from trainyard.settings import Settings

FLOWER_USER = "trainyard"


def stack_environment(settings: Settings) -> dict[str, str]:
    """The environment of a stack that brings its Redis; makes its password at the first start."""
    return _environment(settings, made_password)


def joined_environment(settings: Settings) -> dict[str, str]:
    """The environment of more processes of a stack that is there; raises SettingsError where none is."""
    return _environment(settings, present_password)


def own_redis_url(settings: Settings, password_in: Callable[[Path], str] = made_password) -> str:
    """The address of the stack's own Redis, with its password. Raises SettingsError."""
    password = quote(redis_password(settings, password_in), safe="")
    return f"redis://:{password}@127.0.0.1:{redis_port(settings)}/0"


def has_own_redis(settings: Settings) -> bool:
    """Whether the Redis of the settings is the stack's own: none is named, or that one is."""
    if not settings.redis_url:
        return True
    return redis_password_file(settings).is_file() and settings.redis_url == own_redis_url(settings)


def redis_password(settings: Settings, password_in: Callable[[Path], str] = made_password) -> str:
    """The password of the stack's own Redis. Raises SettingsError."""
    return password_in(redis_password_file(settings))


def redis_password_file(settings: Settings) -> Path:
    """Where the password of the stack's own Redis lies."""
    return folder_of(settings.storage) / "redis-password"


def flower_login(settings: Settings) -> str:
    """`user:password` of the stack's Flower."""
    return f"{FLOWER_USER}:{made_password(flower_password_file(settings))}"


def flower_password_file(settings: Settings) -> Path:
    """Where the password of Flower's user `trainyard` lies."""
    return folder_of(settings.storage) / "flower-password"


def _environment(settings: Settings, password_in: Callable[[Path], str]) -> dict[str, str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    if not settings.redis_url:
        environment["TRAINYARD_REDIS_URL"] = own_redis_url(settings, password_in)
    return environment

"""Passwords that a stack makes for itself: files beside its storage that only its user can read."""

import os
import secrets
from pathlib import Path

from trainyard.errors import SettingsError


def folder_of(storage: Path) -> Path:
    """Where a stack keeps what is its own and no run's: `var/storage.stack` for `var/storage`."""
    return storage.with_name(storage.name + ".stack")


def made_password(path: Path) -> str:
    """The password in that file; where there is none, one of 256 random bits is made."""
    if not _text(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, secrets.token_urlsafe(32))
    path.chmod(0o600)  # also where somebody has put a password of their own there
    return _text(path)


def present_password(path: Path) -> str:
    """The password in that file; raises SettingsError where no stack has made one."""
    password = _text(path)
    if not password:
        raise SettingsError(
            f"No stack was started here: there is no {path}.",
            remedy="Start one with `make up`; or set TRAINYARD_STORAGE and the ports as that stack has them; "
            "or, for one on another machine, TRAINYARD_REDIS_URL to its Redis.",
        )
    return password


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def _write(path: Path, password: str) -> None:
    """Whole or not at all: half a password would lock out whoever read the other half."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{password}\n")
    draft.rename(path)

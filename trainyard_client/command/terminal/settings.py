"""Which server, with which key: from options, the environment, or a profile in the user's config folder."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from trainyard_client.errors import SettingsError

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_PROFILE = "default"
OWN_ONLY = 0o600


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A value and where it comes from."""

    value: str | None
    source: str


@dataclass(frozen=True, kw_only=True)
class Connection:
    """What is needed to reach a server."""

    url: Setting
    api_key: Setting
    profile: str


class Profiles:
    """Named servers with their keys, in a file that its user alone may read."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path(click.get_app_dir("trainyard")) / "config.json"

    def read(self) -> dict[str, Any]:
        """`current` and the `profiles`; empty where there is no file. Raises SettingsError."""
        try:
            content = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {"current": DEFAULT_PROFILE, "profiles": {}}
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"{self.path} cannot be read: {error}.", remedy="Mend or delete it."
            ) from error
        if not isinstance(content, dict) or not isinstance(content.get("profiles"), dict):
            raise SettingsError(f"{self.path} holds no profiles.", remedy="Mend or delete it.")
        return content

    def write(self, content: Mapping[str, Any]) -> None:
        """Replace the file; raises SettingsError."""
        aside = self.path.with_suffix(".tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            aside.unlink(missing_ok=True)
            # Made with its mode: a key must not be readable even for a moment.
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWN_ONLY), "w") as file:
                json.dump(content, file, indent=1)
            aside.replace(self.path)
        except OSError as error:
            raise SettingsError(f"{self.path} cannot be written: {error.strerror}.") from error

    def change(self, name: str, **values: str | None) -> None:
        """Set values of a profile, None to forget one; it becomes the current one where it is the first."""
        content = self.read()
        profile = {**content["profiles"].get(name, {}), **values}
        content["profiles"][name] = {key: value for key, value in profile.items() if value is not None}
        self.write({"current": DEFAULT_PROFILE, **content})

    def use(self, name: str) -> None:
        """Make a profile the current one; raises SettingsError where there is none of that name."""
        content = self.read()
        if name not in content["profiles"]:
            known = ", ".join(sorted(content["profiles"])) or "none"
            raise SettingsError(f"There is no profile {name!r}.", remedy=f"There are: {known}.")
        self.write({**content, "current": name})


def resolve(
    url: str | None,
    profile: str | None,
    environ: Mapping[str, str] | None = None,
    profiles: Profiles | None = None,
) -> Connection:
    """What counts: an option, then TRAINYARD_URL and TRAINYARD_API_KEY, then the profile, then this machine.

    A profile that was asked for by name goes before the environment. Raises SettingsError.
    """
    env = os.environ if environ is None else environ
    content = (profiles or Profiles()).read()
    name = profile or env.get("TRAINYARD_PROFILE") or content.get("current") or DEFAULT_PROFILE
    stored = content["profiles"].get(name, {})
    if profile and not stored:
        known = ", ".join(sorted(content["profiles"])) or "none"
        raise SettingsError(f"There is no profile {profile!r}.", remedy=f"There are: {known}.")
    of_profile = Setting(value=stored.get("url"), source=f"profile {name}")
    of_environment = Setting(value=env.get("TRAINYARD_URL"), source="TRAINYARD_URL")
    named = [of_profile, of_environment] if profile else [of_environment, of_profile]
    candidates = [Setting(value=url, source="--url"), *named]
    found = next((one for one in candidates if one.value), Setting(value=DEFAULT_URL, source="default"))
    return Connection(url=found, api_key=_key(found, stored, name, bool(profile), env), profile=name)


def _key(
    url: Setting, stored: Mapping[str, str], name: str, is_asked_for: bool, env: Mapping[str, str]
) -> Setting:
    """The key; one that is stored for a server goes to no other."""
    of_profile = Setting(value=stored.get("api_key"), source=f"profile {name}")
    of_environment = Setting(value=env.get("TRAINYARD_API_KEY"), source="TRAINYARD_API_KEY")
    is_its_server = url.value == stored.get("url")
    if is_asked_for and is_its_server and of_profile.value:
        return of_profile
    if of_environment.value:
        return of_environment
    return of_profile if is_its_server and of_profile.value else Setting(value=None, source="none")

"""What every command gets: the options that all take, a client, and a place for what it says."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trainyard_client.command.terminal.output import Output
from trainyard_client.command.terminal.settings import Connection, resolve
from trainyard_client.errors import SettingsError

if TYPE_CHECKING:
    from trainyard_client.client import Client

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Session:
    """One call of the command: its server and its output."""

    connection: Connection
    output: Output

    @functools.cached_property
    def client(self) -> "Client":
        """A client of the server; imported late, since `--help` needs none."""
        _leave_out_the_command_of_httpx()
        from trainyard_client.client import Client

        url = self.connection.url.value or ""
        if not url.startswith(("http://", "https://")):
            raise SettingsError(
                f"{url!r} is no address ({self.connection.url.source}).",
                remedy="Give one such as http://127.0.0.1:8000.",
            )
        return Client(url, self.connection.api_key.value)


def _leave_out_the_command_of_httpx() -> None:
    """httpx imports its own command where click and rich are there, which is a third of what a short call of
    this one takes; it goes without where that cannot be imported."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]


def quiet_option(function: F) -> F:
    """Give the command `-q`, as `quiet`: what it would show becomes the id alone."""
    option = click.option("-q", "--quiet", is_flag=True, help="Print the id alone, for scripts.")
    return option(function)


def connected(function: F) -> F:
    """Give the command `--url`, `--profile` and `--json`, and pass it a Session as first argument."""

    @click.option("--url", metavar="URL", help="Address of the server; before TRAINYARD_URL and profiles.")
    @click.option("--profile", metavar="NAME", help="Profile to use (see `trainyard config show`).")
    @click.option(
        "--json", "as_json", is_flag=True, help="One JSON document, or one JSON a line for streams."
    )
    @functools.wraps(function)
    def command(*arguments: Any, url: str | None, profile: str | None, as_json: bool, **options: Any) -> Any:
        session = Session(connection=resolve(url, profile), output=Output(as_json))
        return function(session, *arguments, **options)

    return command  # type: ignore[return-value]

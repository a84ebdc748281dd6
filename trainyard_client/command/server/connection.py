"""login, logout, config, version: which server, and who asks."""

import sys

import click

from trainyard_client import __version__
from trainyard_client.command.terminal.groups import Group
from trainyard_client.command.terminal.output import Output
from trainyard_client.command.terminal.session import Session, connected
from trainyard_client.command.terminal.settings import DEFAULT_PROFILE, Profiles, resolve


@click.command()
@click.option("--url", metavar="URL", help="Address of the server.")
@click.option("--profile", metavar="NAME", default=DEFAULT_PROFILE, show_default=True, help="Its name here.")
@click.option("--api-key-stdin", is_flag=True, help="Read the key from standard input, without a question.")
def login(url: str | None, profile: str, api_key_stdin: bool) -> None:
    """Keep the address of a server and its key as a profile.

    The server is asked first whether it takes the key; nothing is kept where it does not. An empty key is
    right for a server that needs none.
    """
    from trainyard_client.client import Client

    address = (url or resolve(None, None).url.value or "").rstrip("/")
    key = sys.stdin.readline().strip() if api_key_stdin else _asked_key()
    client = Client(address, key or None)
    client.queues.list()
    client.close()
    Profiles().change(profile, url=address, api_key=key or None)
    Profiles().use(profile)
    Output(as_json=False).note(f"Signed in to {address} as profile {profile}.")


@click.command()
@click.option("--profile", metavar="NAME", help="Profile whose key to forget; the current one by default.")
def logout(profile: str | None) -> None:
    """Forget a profile's key; its address stays."""
    name = resolve(None, profile).profile
    if name in Profiles().read()["profiles"]:
        Profiles().change(name, api_key=None)
    Output(as_json=False).note(f"The key of profile {name} is forgotten.")


@click.group(cls=Group)
def config() -> None:
    """Show and choose profiles."""


@config.command("show")
@connected
def show(session: Session) -> None:
    """Show the address and the key that count, and where each comes from. The key itself is not shown."""
    connection, stored = session.connection, Profiles().read()
    key = "set" if connection.api_key.value else "none"
    if session.output.as_json:
        session.output.document(
            {
                "url": {"value": connection.url.value, "source": connection.url.source},
                "api_key": {"value": key, "source": connection.api_key.source},
                "profile": connection.profile,
                "profiles": sorted(stored["profiles"]),
                "file": str(Profiles().path),
            }
        )
        return
    session.output.pairs(
        {
            "url": f"{connection.url.value}  ({connection.url.source})",
            "api key": f"{key}  ({connection.api_key.source})",
            "profile": connection.profile,
            "profiles": ", ".join(sorted(stored["profiles"])) or "none",
            "file": Profiles().path,
        }
    )


@config.command("set")
@click.argument("profile")
@click.argument("url")
def set_url(profile: str, url: str) -> None:
    """Keep URL as the address of PROFILE; `trainyard login` keeps a key, too."""
    Profiles().change(profile, url=url.rstrip("/"))


@config.command("use")
@click.argument("profile")
def use(profile: str) -> None:
    """Make PROFILE the current one."""
    Profiles().use(profile)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def version(as_json: bool) -> None:
    """Print the version."""
    output = Output(as_json)
    if as_json:
        output.document({"version": __version__})
    else:
        output.line(f"trainyard {__version__}")


def _asked_key() -> str:
    key: str = click.prompt("API key", default="", hide_input=True, show_default=False, err=True)
    return key.strip()

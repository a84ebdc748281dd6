"""Trainyard's client: `Client(url, api_key)` for Python, `trainyard` for the command line.

What is named here is imported at its first use: the command must answer `--help` at once.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainyard_client.client import Client as Client
    from trainyard_client.errors import TrainyardError as TrainyardError

__version__ = "0.1.0"
__all__ = ["Client", "TrainyardError", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Client":
        from trainyard_client.client import Client

        return Client
    if name == "TrainyardError":
        from trainyard_client.errors import TrainyardError

        return TrainyardError
    raise AttributeError(f"trainyard_client has no {name}")

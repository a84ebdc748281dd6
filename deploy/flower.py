"""`python -m deploy.flower`: Flower for this stack, on the port after the API's."""

import os
import sys

from deploy.ports import flower_port
from trainyard.errors import SettingsError
from trainyard.queue import make_celery
from trainyard.settings import Settings, is_loopback


def main() -> None:
    """Run Flower until it is told to stop; beyond this machine only with a password."""
    try:
        settings = Settings.from_environment()
        port = flower_port(settings)
    except SettingsError as error:
        sys.exit(f"{error.message} {error.remedy}")
    host = os.environ.get("TRAINYARD_FLOWER_HOST", "127.0.0.1")
    if not is_loopback(host) and not os.environ.get("FLOWER_BASIC_AUTH"):
        sys.exit("TRAINYARD_FLOWER_HOST is open to other machines: set FLOWER_BASIC_AUTH to user:password.")
    make_celery(settings.broker_url).start(["flower", f"--address={host}", f"--port={port}"])


if __name__ == "__main__":
    main()

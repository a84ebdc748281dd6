"""`python -m deploy.stack`: the processes of the Procfile on this machine, until Ctrl-C."""

import os
import sys
from pathlib import Path

from deploy.redis import PORT_VARIABLE, folder_for, free_port, lock
from trainyard.errors import SettingsError
from trainyard.settings import REPOSITORY, Settings


def stack_environment() -> dict[str, str]:
    """This environment, with a Redis of the stack's own where none is named. Raises SettingsError."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    settings = Settings.from_environment()
    if not settings.redis_url:
        os.close(lock(folder_for(settings.storage)))  # only a look: the server takes it for itself
        port = free_port()
        environment[PORT_VARIABLE] = str(port)
        environment["TRAINYARD_REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
    return environment


def main() -> None:
    """Become honcho."""
    try:
        settings = Settings.from_environment()
        settings.check_exposure()
        environment = stack_environment()
    except SettingsError as error:
        sys.exit(f"{error.message} {error.remedy}")
    print(f"API and docs: http://{settings.host}:{settings.port}/docs", flush=True)
    honcho = str(Path(sys.executable).with_name("honcho"))
    arguments = [honcho, "-d", str(REPOSITORY), "-f", "Procfile", "start", *sys.argv[1:]]
    os.execve(honcho, arguments, environment)  # noqa: S606


if __name__ == "__main__":
    main()

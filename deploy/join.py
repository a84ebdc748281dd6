"""`python -m deploy.join COMMAND ...`: run a command as part of a stack, with its Redis and its storage.

On the stack's own machine the address and the password of its Redis are found; on another one
TRAINYARD_REDIS_URL and TRAINYARD_STORAGE say where they are.
"""

import os
import sys

from deploy.processes.environment import joined_environment
from trainyard.errors import SettingsError
from trainyard.settings import Settings


def main() -> None:
    """Become the command."""
    command = sys.argv[1:]
    if not command:
        sys.exit("Say what to run, such as: python -m deploy.join python -m workers train")
    try:
        environment = joined_environment(Settings.from_environment())
    except SettingsError as error:
        sys.exit(f"{error.message} {error.remedy}".strip())
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606
    except FileNotFoundError:
        sys.exit(f"There is no command {command[0]}.")


if __name__ == "__main__":
    main()

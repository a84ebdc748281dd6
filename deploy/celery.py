"""`python -m deploy.celery ...`: Celery's own command for this stack, such as `... control revoke ID`."""

import sys

from trainyard.errors import SettingsError
from trainyard.scheduling.wake_ups import make_celery
from trainyard.settings import Settings


def main() -> None:
    """Run the command on the Redis of the settings, under the names that messages have there."""
    try:
        broker_url = Settings.from_environment().broker_url
    except SettingsError as error:
        sys.exit(f"{error.message} {error.remedy}")
    make_celery(broker_url).start(sys.argv[1:])


if __name__ == "__main__":
    main()

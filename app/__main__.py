"""`python -m app` serves the API; settings come from the environment."""

import sys

from app.server.serve import serve
from trainyard.errors import SettingsError
from trainyard.settings import Settings


def main() -> int:
    """Exit status 2 where a setting is unusable."""
    try:
        serve(Settings.from_environment())
    except SettingsError as error:
        print(f"{error.message} {error.remedy}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

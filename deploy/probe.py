"""`python -m deploy.probe URL`: whether a server of this container answers 200, for its health check."""

import sys
import urllib.error
import urllib.request

_TIMEOUT_S = 10.0


def main(arguments: list[str]) -> int:
    """Exit status 0 where it does; else 1, and what it says."""
    [url] = arguments
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S):  # noqa: S310 - an address of this container
            return 0
    except urllib.error.HTTPError as answer:
        print(answer.code, answer.read(1000).decode("utf-8", "replace"))
    except OSError as error:
        print(error)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

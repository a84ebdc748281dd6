"""What the plug-ins of this machine offer, asked of a process of its own: they import torch, which the worker
that announces them does not."""

import json
import subprocess
import sys
from dataclasses import asdict

from trainyard.decoding import decoder
from trainyard.errors import SettingsError
from trainyard.plugins.offers import Offer
from workers.plugins.loading import load_plugins
from workers.plugins.registry import offers

_FAILED = 3
_WAIT_S = 600
_decode = decoder(Offer)


def announced_offers(modules: tuple[str, ...]) -> tuple[Offer, ...]:
    """What these modules, of this process' environment, register; raises SettingsError where one cannot be
    imported."""
    if not modules:
        return ()
    done = subprocess.run(
        [sys.executable, "-m", __name__], capture_output=True, text=True, timeout=_WAIT_S, check=False
    )
    if done.returncode == _FAILED:
        said = json.loads(done.stdout.splitlines()[-1])
        raise SettingsError(said["message"], remedy=said["remedy"])
    if done.returncode:
        raise SettingsError(
            f"The plug-ins {', '.join(modules)} end the process that imports them, with status "
            f"{done.returncode}: {done.stderr.strip()[-500:]}"
        )
    # The last line, since a plug-in may print as it is imported.
    return tuple(_decode(one) for one in json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """Print the offers as JSON on the last line of the output."""
    try:
        load_plugins()
    except SettingsError as error:
        print(json.dumps({"message": error.message, "remedy": error.remedy}))
        return _FAILED
    print(json.dumps([asdict(offer) for offer in offers()]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

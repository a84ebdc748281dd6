"""`make dev`: the stack, with the API and the workers started anew whenever their code changes.

A worker that is ended so gives its run back and goes on with it from the last checkpoint, as after any
drain: a change may be tried on a run that is under way.
"""

import shlex
import sys

from deploy.processes.procfile import WORKER
from deploy.stack import run

SOURCES = {
    "web": ("app", "trainyard", "configs"),
    WORKER: ("workers", "trainyard", "configs"),
    "ingest": ("workers", "trainyard"),
}
"""What is watched for each process; Redis and Flower run none of our code that changes often."""
DRAIN_S = 60
"""How long a process may take to end before it is killed; a worker drains within 15 s by default."""


def main() -> None:
    """Run the whole stack, or the processes that the arguments name."""
    run(sys.argv[1:], started_anew_on_change)


def started_anew_on_change(name: str, command: str) -> str:
    """The command inside a watcher of its sources, or as it is where it has none."""
    own_name = name.partition("-")[0]  # workers of several GPUs have a number behind it
    sources = SOURCES.get(own_name)
    if sources is None:
        return command
    watcher = [
        sys.executable,
        "-m",
        "watchfiles",
        "--target-type",
        "command",
        "--sigint-timeout",
        str(DRAIN_S),
    ]
    return shlex.join([*watcher, command, *sources])


if __name__ == "__main__":
    main()

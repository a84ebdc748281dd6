"""`python -m trainyard reindex`: rebuild Redis from storage. `... alive`: is a worker of this machine well?

Settings come from the environment.
"""

import argparse
import socket
import sys

from trainyard.errors import TrainyardError
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.scheduling.reindex import Reindex
from trainyard.settings import Settings
from trainyard.storage.files import Storage
from trainyard.store.connection import connect
from trainyard.store.processes.workers import WorkerStore


def main(arguments: list[str]) -> int:
    """Exit status 0; 1 where a folder was left alone, 2 where Redis, storage or a setting is unusable."""
    parser = argparse.ArgumentParser(prog="python -m trainyard", description="Trainyard's upkeep.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "reindex",
        help="compare every record in storage with Redis; the higher revision wins. Safe at any time.",
    )
    commands.add_parser(
        "alive", help="whether a worker of this machine gives signs of life and is not stalled, for probes"
    )
    asked = parser.parse_args(arguments)
    try:
        settings = Settings.from_environment()
        return alive(settings) if asked.command == "alive" else reindex(settings)
    except TrainyardError as error:
        print(f"{error.message} {error.remedy}", file=sys.stderr)
        return 2


def reindex(settings: Settings) -> int:
    """Compare and print what was done; raises TrainyardError."""
    client, storage = connect(settings.broker_url), Storage(settings.storage, settings.data_root)
    runs = RunRegistry(client, storage, settings.lease)
    report = Reindex(client, storage, DatasetRegistry(client, storage, settings.lease), runs).rebuild()
    for problem in report.problems:
        print(problem, file=sys.stderr)
    print(", ".join(f"{count} {name}" for name, count in sorted(report.counts.items())) or "no records")
    return 1 if report.problems else 0


def alive(settings: Settings) -> int:
    """Exit status 0 where each worker of this machine, of which there is one at least, is well, else 1."""
    own = [one for one in WorkerStore(connect(settings.broker_url)).all() if one.host == socket.gethostname()]
    unwell = [one.id for one in own if one.is_stalled]
    if own and not unwell:
        return 0
    print(f"stalled: {', '.join(unwell)}" if unwell else "No worker of this machine gives a sign of life.")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

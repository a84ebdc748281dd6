"""`python -m trainyard reindex`: rebuild Redis from storage; settings come from the environment."""

import argparse
import sys

from trainyard.errors import TrainyardError
from trainyard.registry.datasets import DatasetRegistry
from trainyard.registry.runs import RunRegistry
from trainyard.scheduling.reindex import Reindex
from trainyard.settings import Settings
from trainyard.storage.files import Storage
from trainyard.store.connection import connect


def main(arguments: list[str]) -> int:
    """Exit status 0; 1 where a folder was left alone, 2 where Redis, storage or a setting is unusable."""
    parser = argparse.ArgumentParser(prog="python -m trainyard", description="Trainyard's upkeep.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "reindex",
        help="compare every record in storage with Redis; the higher revision wins. Safe at any time.",
    )
    parser.parse_args(arguments)
    try:
        return reindex(Settings.from_environment())
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

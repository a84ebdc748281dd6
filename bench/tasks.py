"""Classification by the engine beside a plain loop in the manner of timm's train script, and an expert's.

    python -m bench.tasks SET [--threads N] [--rounds N]

SET has folders `train` and `val` with one for each of three classes, as `bench.pets_folders` makes them.
"""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.turns import Peer, interleave, print_target, ratios, speeds, spread
from trainyard_local.dataset import read_dataset

NAMES = ("engine", "plain", "expert")


def main() -> None:
    """Compare, and print the ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench.tasks", description=__doc__)
    parser.add_argument("pictures", type=Path, metavar="SET")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        prepared = read_dataset(asked.pictures, folder, options={"format": "folder_per_class"}).prepared
        sides = {
            name: stack.enter_context(
                Peer(
                    "classification_sides",
                    name,
                    asked.pictures,
                    prepared,
                    "--threads",
                    asked.threads,
                    threads=asked.threads,
                )
            )
            for name in NAMES
        }
        turns = interleave(sides, asked.rounds)
    for name, some in turns.items():
        print(f"{name}: {spread(speeds(some))} images/s", flush=True)
    engine = speeds(turns["engine"])
    print_target("engine over plain", ratios(engine, speeds(turns["plain"])), at_least=1.2)
    print_target("engine over expert", ratios(engine, speeds(turns["expert"])), at_least=0.97)


if __name__ == "__main__":
    main()

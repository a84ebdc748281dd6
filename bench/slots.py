"""Two runs at once on one machine, the cores shared out, against one that has them all.

    python -m bench.slots [DATA] [--rounds N] [--batch-size N] [--steps N] [--cores N]

One process of one run and two processes of two runs take turns; the two run at the same time.
"""

import argparse
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.data.camvid import DATA, pack, prepare
from bench.measures.turns import Peer, Turn, exit_on_sigterm, interleave, print_target, ratios, speeds, spread

SLOTS = 2
TOGETHER = 1.0
"""How many times the images per second of one run the two are to make together."""


class Together:
    """A side whose turn is one of each of several others, all at the same time; their speeds add up."""

    def __init__(self, peers: list[Peer]) -> None:
        self._peers = peers

    def turn(self) -> Turn:
        for peer in self._peers:
            peer.begin()
        return {"images_per_second": sum(speeds([peer.end() for peer in self._peers]))}


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    exit_on_sigterm()
    shares = [asked.cores] + [max(1, asked.cores // SLOTS)] * SLOTS
    with tempfile.TemporaryDirectory() as work, ExitStack() as stack:
        counts = {"train": asked.steps * asked.batch_size, "val": 2}
        prepared = prepare(pack(asked.data, Path(work) / "camvid.zip", counts), Path(work) / "set")
        arguments = (prepared, "--batch-size", asked.batch_size, "--threads")
        one, *others = (
            stack.enter_context(Peer("engine", *arguments, threads, threads=threads)) for threads in shares
        )
        turns = interleave({"one": one, "two": Together(others)}, asked.rounds)
    for name, taken in turns.items():
        print(f"{name}: {spread(speeds(taken))} images/s")
    print_target("two / one", ratios(speeds(turns["two"]), speeds(turns["one"])), at_least=TOGETHER)


if __name__ == "__main__":
    main()

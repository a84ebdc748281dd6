"""Tasks by the engine beside loops of others, which take turns.

    python -m bench.tasks classification SET [--threads N] [--rounds N]
    python -m bench.tasks detection SET [--threads N] [--rounds N]

Of classification SET has folders `train` and `val` with one for each of three classes, as
`bench.data.pets_folders` makes them; the sides are a plain loop in the manner of timm's train script, and an
expert's. Of detection SET has folders `train` and `valid` with `_annotations.coco.json` beside the images;
the other side is torchvision's reference loop.
"""

import argparse
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.measures.turns import Peer, interleave, print_target, ratios, speeds, spread
from trainyard_local.dataset import read_dataset


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A module with sides, `engine` among them; the format of the set; by how much the engine is to be
    quicker than each of the others."""

    module: str
    format: str
    wanted: Mapping[str, float]


COMPARISONS = {
    "classification": Comparison(
        module="classification_sides",
        format="folder_per_class",
        wanted={"plain": 1.2, "expert": 0.97},
    ),
    "detection": Comparison(module="detection_sides", format="coco", wanted={"reference": 1.0}),
}


def main() -> None:
    """Compare, and print the ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench.tasks", description=__doc__)
    parser.add_argument("task", choices=COMPARISONS)
    parser.add_argument("pictures", type=Path, metavar="SET")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    compared = COMPARISONS[asked.task]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        prepared = read_dataset(asked.pictures, folder, options={"format": compared.format}).prepared
        sides = {
            name: stack.enter_context(
                Peer(
                    compared.module,
                    name,
                    asked.pictures,
                    prepared,
                    "--threads",
                    asked.threads,
                    threads=asked.threads,
                )
            )
            for name in ("engine", *compared.wanted)
        }
        turns = interleave(sides, asked.rounds)
    for name, some in turns.items():
        print(f"{name}: {spread(speeds(some))} images/s", flush=True)
    engine = speeds(turns["engine"])
    for name, least in compared.wanted.items():
        print_target(f"engine over {name}", ratios(engine, speeds(turns[name])), at_least=least)


if __name__ == "__main__":
    main()

"""Training speed of four ways to do one job: a published script, an expert's loop, the engine, the service.

    python -m bench.training [DATA] [--rounds N] [--batch-size N ...] [--steps N] [--threads N]
                             [--sides NAME ...]

All train Unet-resnet18 on CamVid at 256 px with the Dice loss and Adam. They take turns; ratios are of
neighbours. Script and expert go on in one process each; the engine has a new one in every turn, as each run
of the service has. `--sides` leaves others out. Shares are of the time of a training step.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.data.camvid import DATA, pack, prepare
from bench.machines.service import ServedRuns, service, uploaded
from bench.measures.loss_curve import largest_difference
from bench.measures.turns import (
    Anew,
    Peer,
    Side,
    Turn,
    exit_on_sigterm,
    interleave,
    print_limit,
    print_target,
    ratios,
    speeds,
    spread,
)
from bench.sides.engine import same_job

SIDES = SCRIPT, EXPERT, ENGINE, SERVICE = ("script", "expert", "engine", "service")
VAL_IMAGES = 8
OVER_SCRIPT = {8: 3.0, 16: 4.5}
"""How much faster than the script the engine is to be, by batch size."""
OVER_EXPERT = 0.97
OVER_ENGINE = 0.99
CURVE_STEPS = 50
CURVE_LIMIT = 0.01


def compare(asked: argparse.Namespace, batch_size: int, folder: Path) -> dict[str, list[Turn]]:
    """Let all sides take their turns."""
    counts = {"train": asked.steps * batch_size, "val": VAL_IMAGES}
    archive = pack(asked.data, folder / "camvid.zip", counts)
    prepared = prepare(archive, folder / "set")
    length = ("--batch-size", batch_size, "--steps")
    with ExitStack() as stack:
        peers = {
            SCRIPT: ("example", asked.data, *length, max(2, asked.steps // 4)),
            EXPERT: ("expert", prepared, *length, asked.steps),
        }
        sides: dict[str, Side] = {}
        for name, (module, *arguments) in peers.items():
            if name in asked.sides:
                sides[name] = stack.enter_context(Peer(module, *arguments, threads=asked.threads))
        if ENGINE in asked.sides:
            engine = ("engine", prepared, *length[:2], "--threads", asked.threads)
            sides[ENGINE] = Anew(lambda: Peer(*engine, threads=asked.threads))
        if SERVICE in asked.sides:
            served = stack.enter_context(service(folder, asked.threads))
            dataset_id = uploaded(served.client, archive)
            sides[SERVICE] = ServedRuns(served, dataset_id, same_job(batch_size))
        return interleave(sides, asked.rounds)


def show(turns: Mapping[str, Sequence[Turn]], batch_size: int) -> None:
    """Print speeds, ratios beside their targets, and shares of time."""
    print(f"batch size {batch_size}")
    for name, taken in turns.items():
        print(f"  {name}: {spread(speeds(taken))} images/s")
        parts = {part for turn in taken for part in turn.get("shares", {})}
        medians = {part: statistics.median(turn["shares"].get(part, 0) for turn in taken) for part in parts}
        ordered = sorted(medians.items(), key=lambda item: -item[1])
        if ordered:
            print("    " + ", ".join(f"{part} {share:.1%}" for part, share in ordered))
    least = {
        (ENGINE, SCRIPT): OVER_SCRIPT.get(batch_size, 1.0),
        (ENGINE, EXPERT): OVER_EXPERT,
        (SERVICE, ENGINE): OVER_ENGINE,
    }
    for (one, other), target in least.items():
        if one in turns and other in turns:
            compared = ratios(speeds(turns[one]), speeds(turns[other]))
            print_target(f"  {one} / {other}", compared, at_least=target)


def main() -> None:
    """Compare with each batch size, then compare losses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, nargs="+", default=[8, 16])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--curve-steps", type=int, default=CURVE_STEPS)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    asked = parser.parse_args()
    exit_on_sigterm()
    for batch_size in asked.batch_size:
        with tempfile.TemporaryDirectory() as folder:
            show(compare(asked, batch_size, Path(folder)), batch_size)
    if not asked.curve_steps:
        return
    difference = largest_difference(asked.data, asked.curve_steps, asked.threads)
    print_limit(
        f"loss against the script's over {asked.curve_steps} steps", [difference], at_most=CURVE_LIMIT
    )


if __name__ == "__main__":
    main()

"""What a task's ready experiment comes to on a set in a fixed time, for several seeds.

    python -m bench.task_scores SET EXPERIMENT SCORE [--set NAME=VALUE ...] [--minutes N] [--threads N]
        [--seeds N] [--format NAME]

The score is one of a report's, such as `accuracy` or `map50`, of all images of each split. Time is what the
threads have had of their cores, so that other load on the machine counts for nothing; the start counts. Each
seed is a process of its own, and the set is shared out anew by none of them.
"""

import argparse
import json
import multiprocessing
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from bench.measures.turns import exit_on_sigterm
from bench.measures.wall_time import processor_clock, train_for
from trainyard.settings import CONFIGS
from trainyard.spec.experiments import Experiments, merge
from trainyard_local.dataset import read_dataset

_BY_CLOCK = 100_000
"""Epochs asked for at first; the clock sets the target."""


def scores_of(
    prepared: Path, spec: dict[str, Any], score: str, seconds: float, threads: int
) -> dict[str, float]:
    """The score of each split of the report, of one run."""
    with tempfile.TemporaryDirectory() as folder:
        train_for(seconds, spec, prepared, Path(folder), threads, processor_clock(threads))
        report = json.loads((Path(folder) / "report.json").read_text())
    return {name: found[score] for name, found in report["splits"].items() if found}


def laid_over(spec: dict[str, Any], settings: list[str]) -> dict[str, Any]:
    """The spec with each `part.name=value` laid over it; values are YAML."""
    for one in settings:
        name, _, value = one.partition("=")
        given: Any = yaml.safe_load(value)
        for part in reversed(name.split(".")):
            given = {part: given}
        spec = merge(spec, given)
    return spec


def main() -> None:
    """Train each seed, and print what they came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pictures", type=Path, metavar="SET")
    parser.add_argument("experiment", choices=Experiments(CONFIGS).names())
    parser.add_argument("score")
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="NAME=VALUE")
    parser.add_argument("--format")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    exit_on_sigterm()
    spec = laid_over(Experiments(CONFIGS).read(asked.experiment), asked.settings)
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as work:
        options = {"format": asked.format} if asked.format else {}
        prepared = read_dataset(asked.pictures, work, options=options).prepared
        for seed in range(asked.seeds):
            own = {**spec, "seed": seed, "epochs": _BY_CLOCK, "export": {"onnx": False}}
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
                run = process.submit(scores_of, prepared, own, asked.score, 60 * asked.minutes, asked.threads)
                for split, value in run.result().items():
                    found.setdefault(split, []).append(value)
                    print(f"seed {seed}, {split}: {asked.score} {value:.4f}", flush=True)
    for split, values in found.items():
        print(
            f"{split}: {asked.score} {statistics.mean(values):.4f} on average, "
            f"{min(values):.4f} to {max(values):.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""mIoU after a fixed time: the engine's default recipe beside the published script, for some seeds.

    python -m bench.accuracy [DATA] [--minutes N] [--seeds N] [--experiment NAME]

For each seed both train at the same time with one thread each, so that they see the same machine, from random
weights. The engine validates after each epoch and uses the best; the script spends all its time on training
and uses its last weights. Scores are at the images' own resolution.
"""

import argparse
import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bench.camvid import score
from bench.data.camvid import DATA, WHOLE, image_files, pack, prepare
from bench.data.native_scores import Ious, mean, native_ious
from bench.measures.turns import exit_on_sigterm, print_target
from bench.measures.wall_time import train_for
from bench.sides.timed_example import train_example
from trainyard.settings import REPOSITORY
from trainyard.spec.experiments import Experiments

Columns = dict[str, Ious]


def script(data: Path, seconds: float, seed: int) -> Columns:
    """The script's IoUs on val and test."""
    predict = train_example(data, seconds, seed)
    return {split: native_ious(predict, image_files(data, split)) for split in ("val", "test")}


def engine(data: Path, prepared: Path, seconds: float, seed: int, experiment: str) -> Columns:
    """The engine's IoUs on val and test."""
    spec = Experiments(REPOSITORY / "configs").read(experiment)
    with tempfile.TemporaryDirectory(dir=prepared.parent) as folder:
        best = train_for(
            seconds, {**spec, "seed": seed, "export": {"onnx": False}}, prepared, Path(folder), 1
        )
        return score(best, data)


def main() -> None:
    """Compare each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--experiment", default="unet-resnet18")
    asked = parser.parse_args()
    exit_on_sigterm()
    ahead: dict[str, list[float]] = {"val": [], "test": []}
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as work:
        prepared = prepare(pack(asked.data, Path(work) / "camvid.zip", WHOLE), Path(work) / "set")
        for seed in range(asked.seeds):
            with ProcessPoolExecutor(2, mp_context=spawn) as sides:
                seconds = 60 * asked.minutes
                theirs = sides.submit(script, asked.data, seconds, seed)
                ours = sides.submit(engine, asked.data, prepared, seconds, seed, asked.experiment)
                for split, lead in ahead.items():
                    one, other = mean(ours.result()[split]), mean(theirs.result()[split])
                    lead.append(one - other)
                    print(f"seed {seed}, {split}: engine {one:.4f}, script {other:.4f}", flush=True)
    for split, lead in ahead.items():
        print_target(f"least lead on {split}", [min(lead)], at_least=0.0)


if __name__ == "__main__":
    main()

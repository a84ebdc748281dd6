"""What the shipped experiment reaches on CamVid in a quarter of an hour, per class, on val and test.

    python -m bench.camvid [DATA] [--experiment NAME] [--minutes N] [--threads N] [--seed N]

Training counts against the time, ingest and scoring do not. Scores are at the images' own resolution.
"""

import argparse
import os
import tempfile
from functools import partial
from pathlib import Path

from bench.data.camvid import DATA, WHOLE, class_names, image_files, pack, prepare
from bench.data.native_scores import Ious, native_ious, print_table
from bench.measures.turns import exit_on_sigterm
from bench.measures.wall_time import train_for
from trainyard.settings import REPOSITORY
from trainyard.spec.experiments import Experiments
from workers.training.tasks.segmentation.prediction.images import as_trained
from workers.training.tasks.segmentation.prediction.predictor import load_predictor


def score(checkpoint: Path, data: Path) -> dict[str, Ious]:
    """The IoUs on val and test."""
    shown = partial(as_trained, load_predictor(checkpoint))
    return {split: native_ious(shown, image_files(data, split)) for split in ("val", "test")}


def main() -> None:
    """Ingest, train, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--experiment", default="camvid-unet")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    exit_on_sigterm()
    spec = Experiments(REPOSITORY / "configs").read(asked.experiment)
    spec |= {"seed": asked.seed, "export": {"onnx": False}}
    with tempfile.TemporaryDirectory() as work:
        prepared = prepare(pack(asked.data, Path(work) / "camvid.zip", WHOLE), Path(work) / "set")
        best = train_for(asked.minutes * 60, spec, prepared, Path(work) / "run", asked.threads)
        columns = score(best, asked.data)
    print_table(class_names(asked.data), columns)


if __name__ == "__main__":
    main()

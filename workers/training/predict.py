"""What a trained network makes of images of any size, from a checkpoint or an exported ONNX file.

`python -m workers.training.predict CHECKPOINT IMAGE... --out DIR [--tiles | --resize]` writes what its task
has to say of each image. For segmentation that is `<name>.png`, a class index per pixel, and
`<name>.overlay.png`, the image under the class colours; a multilabel model gives `<name>.<class index>.png`
for each class instead, 255 where the class is and 0 elsewhere. For classification it is predictions.json,
predictions.csv and predictions.png for all. Images are seen at the scale of training unless one of the two
ways is asked for. Of a folder all pictures are taken, also those of folders within it.
"""

import argparse
import os
import sys
from pathlib import Path

import torch

from trainyard.errors import InvalidRequest, TrainyardError
from workers.ingest.paths.layout import PICTURES
from workers.plugins.loading import load_plugins
from workers.training.tasks.model_file import open_model
from workers.training.tasks.registry import TASKS


def main(arguments: list[str]) -> int:
    """Predict as the arguments say; returns the exit status, 1 for anything that Trainyard refuses."""
    asked = _parser().parse_args(arguments)
    torch.set_num_threads(asked.threads)
    try:
        load_plugins()
        images = _pictures_of(asked.images)
        model = open_model(asked.model)
        TASKS[model.task].predict(model, images, asked.out, asked.way)
    except TrainyardError as error:
        print(f"{error.code}: {error.message}\n{error.remedy}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers.training.predict", description=__doc__)
    parser.add_argument("model", type=Path, metavar="CHECKPOINT", help="a .ckpt or .onnx file")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="pictures, or folders of them")
    parser.add_argument("--out", type=Path, required=True, help="folder for what is found")
    ways = parser.add_mutually_exclusive_group()
    for way, said in (
        ("tiles", "at the image's own resolution, the default of models trained on crops"),
        ("resize", "the whole image brought to the trained size, the default of all others"),
    ):
        ways.add_argument(f"--{way}", dest="way", action="store_const", const=way, help=said)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="CPU threads")
    return parser


def _pictures_of(named: list[Path]) -> list[Path]:
    """The files that are named and those of the folders; raises InvalidRequest for a folder without any."""
    found: list[Path] = []
    for path in named:
        inside = sorted(one for one in path.rglob("*") if one.suffix.lower() in PICTURES)
        if path.is_dir() and not inside:
            raise InvalidRequest(f"{path} has no pictures, told by the ends of their names.")
        found += inside if path.is_dir() else [path]
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Class maps of images of any size, from a checkpoint or an exported ONNX file.

`python -m workers.training.predict CHECKPOINT IMAGE... --out DIR [--tiles | --resize]` writes `<name>.png`,
a class index per pixel, and `<name>.overlay.png`, the image under the class colours, for each image. A
multilabel model gives `<name>.<class index>.png` for each class instead, 255 where the class is and 0
elsewhere. Images are seen at the scale of training unless one of the two ways is asked for.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from trainyard.errors import InvalidRequest, TrainyardError
from workers.prepared.version import DepthScale, Uint8
from workers.training.tasks.segmentation.labels.mask_labels import MULTILABEL, has_class
from workers.training.tasks.segmentation.labels.painting import blend, palette, write_picture
from workers.training.tasks.segmentation.prediction.answers import Predictor
from workers.training.tasks.segmentation.prediction.class_maps import as_trained, by_resize, by_tiles
from workers.training.tasks.segmentation.prediction.pictures import read_picture
from workers.training.tasks.segmentation.prediction.predictor import load_predictor

Predict = Callable[[Predictor, Uint8], Uint8]


def read_image(path: Path, depth: Sequence[DepthScale] | None) -> Uint8:
    """As `read_picture`; what is to be said of the image is written to standard error."""
    image, notice = read_picture(path, path.name, depth)
    if notice:
        print(f"{path.name}: {notice}", file=sys.stderr)
    return image


def main(arguments: list[str]) -> int:
    """Predict as the arguments say; returns the exit status, 1 for anything that Trainyard refuses."""
    asked = _parser().parse_args(arguments)
    torch.set_num_threads(asked.threads)
    try:
        _refuse_equal_names(asked.images)
        predictor = load_predictor(asked.model)
        for path in asked.images:
            _write(asked.predict, predictor, path, asked.out)
    except TrainyardError as error:
        print(f"{error.code}: {error.message}\n{error.remedy}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers.training.predict", description=__doc__)
    parser.set_defaults(predict=as_trained)
    parser.add_argument("model", type=Path, metavar="CHECKPOINT", help="a .ckpt or .onnx file")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="picture files")
    parser.add_argument("--out", type=Path, required=True, help="folder for masks and overlays")
    ways = parser.add_mutually_exclusive_group()
    for flag, way, said in (
        ("--tiles", by_tiles, "at the image's own resolution, the default of models trained on crops"),
        ("--resize", by_resize, "the whole image brought to the trained size, the default of all others"),
    ):
        ways.add_argument(flag, dest="predict", action="store_const", const=way, help=said)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="CPU threads")
    return parser


def _refuse_equal_names(images: list[Path]) -> None:
    names = [path.stem for path in images]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidRequest(f"Two images would be written to {twice[0]}.png: rename one.")


def _write(predict: Predict, predictor: Predictor, path: Path, out: Path) -> None:
    image = read_image(path, predictor.depth)
    classes = predict(predictor, image)
    found = {info.index: has_class(classes, info.index, predictor.task) for info in predictor.classes}
    if predictor.task == MULTILABEL:
        for index, there in found.items():
            write_picture(np.uint8(255) * there, out / f"{path.stem}.{index}.png")
    else:
        write_picture(classes, out / f"{path.stem}.png")
    colors = palette(predictor.classes, predictor.task)
    write_picture(blend(image, classes, colors), out / f"{path.stem}.overlay.png")
    shares = {info.name: found[info.index].mean() for info in predictor.classes if found[info.index].any()}
    print(f"{path.name}:", ", ".join(f"{name} {share:.1%}" for name, share in shares.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

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

import cv2
import numpy as np
import torch

from trainyard.errors import InvalidRequest, TrainyardError
from workers.ingest.pictures.decode import decode
from workers.ingest.problems import Refused
from workers.prepared.version import DepthScale, Uint8
from workers.training.data.input_depth import seen_as_trained
from workers.training.data.resizing import square_inside, to_square
from workers.training.data.tiles import Floats, predict_tiles
from workers.training.labels.label_codec import THRESHOLD
from workers.training.labels.mask_labels import MULTILABEL, has_class
from workers.training.labels.painting import blend, palette, write_picture
from workers.training.prediction.predictor import Predictor, load_predictor

Predict = Callable[[Predictor, Uint8], Uint8]


def as_trained(predictor: Predictor, image: Uint8) -> Uint8:
    """The class map, (H, W) uint8, of an image, (H, W, 3) uint8 RGB, at the scale of training.

    By tiles where the network was trained on crops of images at their own scale, else by resize. Raises
    InvalidRequest as `by_tiles` does.
    """
    return (by_tiles if predictor.fit == "crop" else by_resize)(predictor, image)


def by_resize(predictor: Predictor, image: Uint8) -> Uint8:
    """The class map, (H, W) uint8, of an image, (H, W, 3) uint8 RGB, of any size, seen whole as in training.

    It is made a square of the trained size by the spec's `fit`; the probabilities are brought back to the
    image's size bilinearly, and the greatest wins, or each above one half. A model that gives classes only
    has those brought back to the nearest pixel.
    """
    height, width = image.shape[:2]
    size = predictor.image_size
    square, _ = to_square(image, np.zeros((height, width), np.uint8), size, predictor.fit, 0)
    rows, columns = square_inside(height, width, size, predictor.fit)
    if predictor.gives_probabilities:
        probabilities = predictor.probabilities(square)[:, rows, columns]
        return (likely if predictor.task == MULTILABEL else greatest)(probabilities, height, width)
    classes = np.ascontiguousarray(predictor.class_map(square)[rows, columns])
    return np.asarray(cv2.resize(classes, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def by_tiles(predictor: Predictor, image: Uint8) -> Uint8:
    """The same at the image's own resolution, square by square (workers/training/data/tiles.py says how).

    For networks trained on crops, or on images of about the trained size. Raises InvalidRequest for a model
    that gives classes only.
    """
    if not predictor.gives_probabilities:
        raise InvalidRequest(
            "Tiles need probabilities to blend, and this ONNX file gives classes only.",
            remedy="Give a checkpoint or an ONNX file without preprocessing, or have images resized.",
            errors={"tiles": ["only with a checkpoint, or an ONNX file without preprocessing"]},
        )
    return predict_tiles(
        image, predictor.probabilities_of, predictor.settle, predictor.image_size, len(predictor.classes)
    )


def greatest(probabilities: Floats, height: int, width: int) -> Uint8:
    """The class of the greatest probability after resizing (C, h, w) to (C, height, width).

    One class at a time, so that memory does not grow with the number of classes.
    """
    best = np.full((height, width), -1, np.float32)
    classes = np.zeros((height, width), np.uint8)
    for index, plane in enumerate(probabilities):
        score = _resized(plane, height, width)
        better = score > best
        best[better], classes[better] = score[better], index
    return classes


def likely(probabilities: Floats, height: int, width: int) -> Uint8:
    """The classes above THRESHOLD after the same, as bits."""
    classes = np.zeros((height, width), np.uint8)
    for index, plane in enumerate(probabilities):
        classes[_resized(plane, height, width) > THRESHOLD] |= 1 << index
    return classes


def _resized(plane: Floats, height: int, width: int) -> Floats:
    whole = np.ascontiguousarray(plane)
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def read_image(path: Path, depth: Sequence[DepthScale] | None) -> Uint8:
    """An image file as it is displayed, (H, W, 3) RGB, by the rules of ingest; raises InvalidRequest.

    One of more than 8 bits is scaled as those of the training set were, by `depth` (see `Predictor`). Where
    it had none of the kind it is scaled by its own range, and it is said.
    """
    try:
        image = decode(path.read_bytes())
        scaled, notice = seen_as_trained(image, depth)
        if notice:
            print(f"{path.name}: {notice}", file=sys.stderr)
        return scaled
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from error
    except Refused as refusal:
        raise InvalidRequest(f"{path.name}: {refusal.message}", remedy=refusal.remedy) from refusal


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

"""Class maps of image files, written as pictures."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from trainyard.errors import InvalidRequest
from workers.prepared.version import Uint8
from workers.training.data.picture_files import read_image, write_picture
from workers.training.tasks.segmentation.labels.mask_labels import MULTILABEL, has_class
from workers.training.tasks.segmentation.labels.painting import blend, colouring
from workers.training.tasks.segmentation.prediction.answers import Predictor
from workers.training.tasks.segmentation.prediction.class_maps import as_trained, by_resize, by_tiles

_WAYS: dict[str | None, Callable[[Predictor, Uint8], Uint8]] = {
    None: as_trained, "tiles": by_tiles, "resize": by_resize
}  # fmt: skip


def predict_images(predictor: Predictor, images: Sequence[Path], out: Path, way: str | None) -> None:
    """Write `<name>.png`, a class index per pixel, and `<name>.overlay.png`, the image under the class
    colours, for each image, and say on a line which classes it has.

    A multilabel model gives `<name>.<class index>.png` for each class instead, 255 where the class is and 0
    elsewhere. `way` is `tiles`, `resize` or None, as the network was trained. Raises InvalidRequest and
    StorageUnavailable.
    """
    _refuse_equal_names(images)
    for path in images:
        _write(predictor, path, out, way)


def _write(predictor: Predictor, path: Path, out: Path, way: str | None) -> None:
    image = read_image(path, predictor.depth)
    classes = _WAYS[way](predictor, image)
    count = len(predictor.classes)
    found = {info.index: has_class(classes, info.index, predictor.task, count) for info in predictor.classes}
    if predictor.task == MULTILABEL:
        for index, there in found.items():
            write_picture(np.uint8(255) * there, out / f"{path.stem}.{index}.png")
    else:
        write_picture(classes, out / f"{path.stem}.png")
    colors = colouring(predictor.classes, predictor.task)
    write_picture(blend(image, classes, colors), out / f"{path.stem}.overlay.png")
    shares = {info.name: found[info.index].mean() for info in predictor.classes if found[info.index].any()}
    print(f"{path.name}:", ", ".join(f"{name} {share:.1%}" for name, share in shares.items()), flush=True)


def _refuse_equal_names(images: Sequence[Path]) -> None:
    names = [path.stem for path in images]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidRequest(f"Two images would be written to {twice[0]}.png: rename one.")

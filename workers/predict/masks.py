"""What a model makes of one image, in the forms that clients ask for."""

from pathlib import Path
from typing import Any

import numpy as np

from trainyard.library.prediction import CLASS_MAP, PICTURES, RESIZE, TILES, TRAINED, PredictionJob
from trainyard.storage.files import PredictionFolder
from workers.predict.received import received_image
from workers.prepared.version import Uint8
from workers.training.data.picture_files import write_picture
from workers.training.tasks.segmentation.labels.mask_labels import has_class
from workers.training.tasks.segmentation.labels.painting import blend, colouring
from workers.training.tasks.segmentation.prediction.answers import Predictor
from workers.training.tasks.segmentation.prediction.class_maps import as_trained, by_resize, by_tiles

_FLAT = 2
_WAYS = {TRAINED: as_trained, TILES: by_tiles, RESIZE: by_resize}


def predict_image(
    predictor: Predictor, job: PredictionJob, folder: PredictionFolder, place: int
) -> dict[str, Any]:
    """Write the pictures that the job wants of its image at `place`, from 0, and tell what is in it.

    Raises InvalidRequest for what is no image, and StorageUnavailable.
    """
    image, notice = received_image(job, folder, place, predictor.depth)
    height, width = image.shape[:2]
    classes = _WAYS[job.way](predictor, image)
    for form in {job.form, *job.pictures} & {*PICTURES}:
        _write(form, image, classes, predictor, folder.picture(place, form))
    return {
        "name": job.names[place],
        "width": width,
        "height": height,
        "notices": [notice] if notice else [],
        "classes": [_told(classes, predictor, place) for place in range(len(predictor.classes))],
    }


def _write(form: str, image: Uint8, classes: Uint8, predictor: Predictor, path: Path) -> None:
    if form == CLASS_MAP:
        # Planes of a mask with more than eight classes are one below the other.
        write_picture(
            classes if classes.ndim == _FLAT else np.concatenate(list(np.moveaxis(classes, -1, 0))), path
        )
    else:
        write_picture(blend(image, classes, colouring(predictor.classes, predictor.task)), path)


def _below_each_other(classes: Uint8) -> Uint8:
    """The planes of a mask with more than eight classes, (H, W, P), as (P * H, W)."""
    return np.ascontiguousarray(np.moveaxis(classes, -1, 0)).reshape(-1, classes.shape[1])


def _told(classes: Uint8, predictor: Predictor, place: int) -> dict[str, Any]:
    """How much of a class there is; `box` is its left, top, width and height in pixels, None without any."""
    info = predictor.classes[place]
    there = has_class(classes, info.index, predictor.task, len(predictor.classes))
    pixels = int(there.sum())
    rows, columns = (np.flatnonzero(there.any(axis=axis)) for axis in (1, 0))
    box = None
    if pixels:
        left, top = int(columns[0]), int(rows[0])
        box = [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]
    return {
        "index": info.index,
        "name": info.name,
        "color": list(info.color),
        "pixels": pixels,
        "share": pixels / there.size,
        "box": box,
    }

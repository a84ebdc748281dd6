"""Picture files, read as a model was trained to see them, and written; without torch."""

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2

from trainyard.errors import InvalidRequest, StorageUnavailable
from trainyard.storage.errors import storage_error
from workers.ingest.pictures.decode import decode
from workers.ingest.problems import Refused
from workers.prepared.version import DepthScale, Uint8
from workers.training.data.input_depth import seen_as_trained

_PARAMETERS = {".jpg": [cv2.IMWRITE_JPEG_QUALITY, 85]}
"""What OpenCV is told of files of a kind."""


def read_picture(path: Path, name: str, depth: Sequence[DepthScale] | None) -> tuple[Uint8, str | None]:
    """An image file as it is displayed, (H, W, 3) RGB, by the rules of ingest, and what is to be said of it.

    One of more than 8 bits is scaled as those of the training set were, by `depth`; where
    it had none of the kind, by its own range, which is said. Raises InvalidRequest, which calls it `name`.
    """
    try:
        return seen_as_trained(decode(path.read_bytes()), depth)
    except OSError as error:
        raise InvalidRequest(f"{name} cannot be read: {error.strerror}.") from error
    except Refused as refusal:
        raise InvalidRequest(f"{name}: {refusal.message}", remedy=refusal.remedy) from refusal


def read_image(path: Path, depth: Sequence[DepthScale] | None) -> Uint8:
    """As `read_picture`; what is to be said of the image is written to standard error."""
    image, notice = read_picture(path, path.name, depth)
    if notice:
        print(f"{path.name}: {notice}", file=sys.stderr)
    return image


def write_picture(picture: Uint8, path: Path) -> None:
    """Write a grey picture, (H, W), or an RGB one, (H, W, 3), as PNG or JPEG, as the path ends; raises
    StorageUnavailable."""
    plain = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    temporary = path.with_name(f".{path.name}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(temporary), plain, _PARAMETERS.get(path.suffix, [])):
            raise StorageUnavailable(f"{path.name} could not be written.")
        temporary.replace(path)
    except OSError as error:
        raise storage_error(f"{path.name} could not be written", error) from error

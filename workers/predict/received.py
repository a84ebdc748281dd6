"""The images of a prediction as its model is to see them."""

from collections.abc import Sequence

from trainyard.errors import InvalidRequest
from trainyard.library.prediction import PredictionJob
from trainyard.storage.files import PredictionFolder
from workers.prepared.version import DepthScale, Uint8
from workers.training.data.picture_files import read_picture

MAX_PIXELS = 64_000_000
"""Of one image: what is made of it is held in memory at its own size, several times over."""


def received_image(
    job: PredictionJob, folder: PredictionFolder, place: int, depth: Sequence[DepthScale] | None
) -> tuple[Uint8, str | None]:
    """The job's image at `place`, from 0, (H, W, 3) RGB, and what is to be said of it.

    Raises InvalidRequest for what is no image, or is too large.
    """
    name = job.names[place]
    image, notice = read_picture(folder.image(place), name, depth)
    height, width = image.shape[:2]
    if height * width > MAX_PIXELS:
        raise InvalidRequest(
            f"{name} has {width} x {height} pixels, more than the {MAX_PIXELS} that are predicted at once.",
            remedy="Cut it into parts, or make it smaller.",
            errors={"image": [f"at most {MAX_PIXELS} pixels each"]},
        )
    return image, notice

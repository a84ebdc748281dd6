"""Images of a split with what is true of them and what the network says."""

import base64
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from workers.prepared.version import PreparedClass, Uint8
from workers.training.data.picture_files import write_picture
from workers.training.tasks.classification.data.pictures import Pictures, load
from workers.training.tasks.classification.labels.sheets import framed, names_of
from workers.training.tasks.classification.report.numbers import Answers

WORST, RANDOM = 20, 12
"""Images of a gallery: those whose truth the network finds the least probable, and others, by the seed."""
_WEBP_QUALITY = 80


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An image: what it has, what it is said to have, how probable its truth is; its file, and that as a data
    URI for the page."""

    name: str
    truth: str
    predicted: str
    is_right: bool
    probability: float
    figure: str
    uri: str

    def listed(self) -> dict[str, object]:
        """As it stands in report.json."""
        return {name: value for name, value in vars(self).items() if name != "uri"}


def worst_places(answers: Answers) -> list[int]:
    """Places in the split, the worst first."""
    return [int(place) for place in np.argsort(-answers.surprise, kind="stable")[:WORST]]


def random_places(images: int, seed: int) -> list[int]:
    """Places in the split, drawn without repetition."""
    count = min(RANDOM, images)
    return [int(place) for place in np.random.default_rng(seed).choice(images, count, replace=False)]


class Gallery:
    """Draws images of one split into a folder."""

    def __init__(
        self, pictures: Pictures, answers: Answers, classes: list[PreparedClass], folder: Path
    ) -> None:
        self._pictures = pictures
        self._answers = answers
        self._classes = classes
        self._folder = folder

    def draw(self, places: list[int], title: str) -> list[Shown]:
        """Write `<title>-01.png` and so on; raises StorageUnavailable."""
        return [self._shown(place, f"{title}-{number:02d}.png") for number, place in enumerate(places, 1)]

    def _shown(self, place: int, file: str) -> Shown:
        images, _ = load(self._pictures, [place])
        picture = framed(images[0].numpy())
        write_picture(picture, self._folder / file)
        answers = self._answers
        return Shown(
            name=self._pictures.samples[place].name,
            truth=names_of(self._classes, list(answers.true[place])),
            predicted=names_of(self._classes, list(answers.predicted[place])),
            is_right=bool(answers.right[place]),
            probability=float(np.exp(-answers.surprise[place])),
            figure=f"{self._folder.name}/{file}",
            uri=_data_uri(picture),
        )


def _data_uri(picture: Uint8) -> str:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY])
    return "data:image/webp;base64," + base64.b64encode(data.tobytes()).decode()

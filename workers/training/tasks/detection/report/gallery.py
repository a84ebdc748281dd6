"""Images of a split with their objects, and what the network finds."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from workers.prepared.version import PreparedClass, Uint8
from workers.training.data.picture_files import write_picture
from workers.training.tasks.detection.data.squares import Squares
from workers.training.tasks.detection.labels.drawing import Drawn, below, beside, draw_objects, of_width
from workers.training.tasks.detection.labels.matching import NOBODY, at_least, matched
from workers.training.tasks.detection.labels.truth import SceneAnswer, SceneTruth
from workers.training.tasks.detection.report.evaluation import Evaluation

WORST, RANDOM = 12, 8
"""Images of a gallery: those with the most mistakes, and others, by the seed."""
OVERLAID = 4
_WIDTH = 960
"""Pixels of a picture's width in the overlay."""
_WEBP_QUALITY = 80
_ONE_CLASS = 1


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An image: its objects, those that are missed, detections that are wrong; its file, truth on the left
    and detections on the right, and that as a data URI for the page."""

    name: str
    objects: int
    missed: int
    wrong: int
    figure: str
    uri: str

    def listed(self) -> dict[str, object]:
        """As it stands in report.json."""
        return {name: value for name, value in vars(self).items() if name != "uri"}


@dataclass(frozen=True, kw_only=True)
class Mistakes:
    """How many objects of an image are missed, and how many detections are wrong."""

    objects: int
    missed: int
    wrong: int


def mistakes(truth: SceneTruth, answer: SceneAnswer, threshold: float) -> Mistakes:
    """At IoU 0.5, of what is at least so probable."""
    believed = at_least(answer, threshold)
    matches = matched(truth, believed, by_class=True)
    plain = ~truth.crowd
    return Mistakes(
        objects=int(plain.sum()),
        missed=int((matches.found[plain] == NOBODY).sum()),
        wrong=int(((matches.objects == NOBODY) & ~matches.ignored).sum()),
    )


class Gallery:
    """Draws images of one split into a folder."""

    def __init__(
        self,
        squares: Squares,
        evaluation: Evaluation,
        threshold: float,
        classes: Sequence[PreparedClass],
        folder: Path,
    ) -> None:
        self._squares = squares
        self._evaluation = evaluation
        self._threshold = threshold
        self._classes = classes
        self._folder = folder
        pairs = zip(evaluation.truths, evaluation.answers, strict=True)
        self._mistakes = [mistakes(truth, answer, threshold) for truth, answer in pairs]

    def worst_places(self) -> list[int]:
        """Places in the split, those with the most mistakes first; none without any."""
        counts = np.array([one.missed + one.wrong for one in self._mistakes])
        order = np.argsort(-counts, kind="stable")[:WORST]
        return [int(place) for place in order if counts[place]]

    def random_places(self, seed: int) -> list[int]:
        """Places in the split, drawn without repetition."""
        images = len(self._mistakes)
        drawn = np.random.default_rng(seed).choice(images, min(RANDOM, images), replace=False)
        return [int(place) for place in drawn]

    def draw(self, places: list[int], title: str) -> list[Shown]:
        """Write `<title>-01.png` and so on; raises StorageUnavailable."""
        return [self._shown(place, f"{title}-{number:02d}.png") for number, place in enumerate(places, 1)]

    def picture(self, place: int) -> Uint8:
        """The image at that place with its truth, beside it with what is found."""
        truth, answer = self._evaluation.truths[place], self._evaluation.answers[place]
        image = self._squares.image(self._squares.samples[place])
        return side_by_side(image, truth, at_least(answer, self._threshold), self._classes)

    def overlay(self) -> Uint8:
        """Up to four images, spread over the split, one below the other."""
        places = np.linspace(0, len(self._mistakes) - 1, min(OVERLAID, len(self._mistakes)))
        return below([of_width(self.picture(int(place)), _WIDTH) for place in places])

    def _shown(self, place: int, file: str) -> Shown:
        picture = self.picture(place)
        write_picture(picture, self._folder / file)
        found = self._mistakes[place]
        return Shown(
            name=self._squares.samples[place].name,
            **vars(found),
            figure=f"{self._folder.name}/{file}",
            uri=_data_uri(picture),
        )


def side_by_side(
    image: Uint8, truth: SceneTruth, answer: SceneAnswer, classes: Sequence[PreparedClass]
) -> Uint8:
    """Truth on the left, detections with their probabilities on the right; names where there are several
    classes."""
    several = len(classes) > _ONE_CLASS
    names = [classes[index].name if several else "" for index in truth.classes]
    crowds = [
        f"{name} (crowd)".strip() if crowd else name for name, crowd in zip(names, truth.crowd, strict=True)
    ]
    told = [
        f"{classes[index].name if several else ''} {score:.0%}".strip()
        for index, score in zip(answer.classes, answer.scores, strict=True)
    ]
    left = Drawn(boxes=truth.boxes, classes=truth.classes, names=crowds, outlines=truth.outlines)
    right = Drawn(boxes=answer.boxes, classes=answer.classes, names=told, outlines=answer.outlines)
    return beside([draw_objects(image, drawn, classes) for drawn in (left, right)])


def _data_uri(picture: Uint8) -> str:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY])
    return "data:image/webp;base64," + base64.b64encode(data.tobytes()).decode()

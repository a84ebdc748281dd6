"""Masks as sets have them: round objects at random places of a picture of 160 x 120 pixels."""

from collections.abc import Iterable, Mapping

import cv2
import numpy as np

from tests.ingest.made import Array, Bench, encoded
from workers.ingest.pipeline import IngestResult

HEIGHT, WIDTH = 120, 160
_PITCH = 26


def photo_of(ids: Array, seed: int = 0) -> Array:
    """A noisy picture in which objects are lighter, (H, W, 3)."""
    noise = np.random.default_rng(seed).integers(40, 120, (*ids.shape, 3))
    return (noise + 90 * (ids[..., None] > 0)).astype(np.uint8)


def objects(count: int, seed: int = 0) -> Array:
    """Ids 1 to `count` of objects that do not touch, at most 20, (H, W) int32; 0 is background."""
    random = np.random.default_rng(seed)
    places = random.permutation((HEIGHT // _PITCH) * (WIDTH // _PITCH))[:count]
    mask = np.zeros((HEIGHT, WIDTH), np.int32)
    for number, place in enumerate(places, start=1):
        row, column = divmod(int(place), WIDTH // _PITCH)
        center = (column * _PITCH + 13, row * _PITCH + 13)
        cv2.ellipse(
            mask,
            center,
            (int(random.integers(5, 11)), int(random.integers(4, 11))),
            int(random.integers(0, 180)),
            0,
            360,
            number,
            -1,
        )
    return mask


def classes(values: Iterable[int], pieces: int = 3, seed: int = 0) -> Array:
    """A mask, (H, W) uint8, in which each value has so many pieces."""
    wanted = list(values)
    ids = objects(pieces * len(wanted), seed)
    table = np.array([0, *np.repeat(wanted, pieces)], np.uint8)
    return np.asarray(table[ids])


def upload_of(masks: Iterable[bytes], ids: Iterable[Array], ending: str = "png") -> dict[str, bytes]:
    """The files of a set: masks as given, and images of their objects."""
    files = {}
    for number, (data, shapes) in enumerate(zip(masks, ids, strict=True)):
        files[f"images/{number:03}.png"] = encoded(photo_of(shapes, number))
        files[f"masks/{number:03}.{ending}"] = data
    return files


def answers(bench: Bench, files: Mapping[str, bytes], **options: object) -> dict[str, IngestResult]:
    """What becomes of each choice of the only question that a set asks, which must be answered by it."""
    asked = bench.run(files, **options)
    [question] = asked.questions
    results = {}
    for choice in question.choices:
        chosen = {name: by_value(content) for name, content in choice.options.items()}
        results[choice.key] = bench.run(files, **{**options, **chosen})
        assert results[choice.key].questions == (), choice
        assert results[choice.key].summary is not None, (choice, results[choice.key].problems)
    return results


def by_value(content: object) -> object:
    """Options of a request as ingest has them: its mappings are keyed by whole numbers."""
    if isinstance(content, Mapping) and all(str(key).isdigit() for key in content):
        return {int(key): value for key, value in content.items()}
    return content


def names_of(result: IngestResult) -> dict[int, str]:
    """The classes of a set that must be ready, name by value."""
    assert result.summary is not None, (result.problems, result.questions)
    return {info.value: info.name for info in result.summary.classes}

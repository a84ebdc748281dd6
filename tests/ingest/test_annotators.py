"""Masks of one image by several people are no classes: it is asked whose count."""

import numpy as np
import pytest

from tests.ingest.made import Array, Bench, encoded
from tests.ingest.scenes import objects, photo_of

COUNT = 5


def _set(template: str, names: tuple[str, ...], drawn: list[list[Array]]) -> dict[str, bytes]:
    files = {}
    for number, masks in enumerate(drawn):
        files[f"images/{number}.png"] = encoded(photo_of(masks[0], number))
        for name, mask in zip(names, masks, strict=True):
            files[template.format(n=number, who=name)] = encoded(((mask > 0) * 255).astype(np.uint8))
    return files


def _redrawn(count: int) -> list[list[Array]]:
    shapes = [objects(3, number) for number in range(COUNT)]
    return [[np.roll(shape, place, axis=1) for place in range(count)] for shape in shapes]


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("masks/{who}/{n}.png", ("alice", "bob")),
        ("masks/{n}_{who}.png", ("alice", "bob", "carol")),
        ("masks/{n}_{who}.png", ("A", "B")),
        ("masks/reader{who}/{n}.png", ("1", "2")),
        ("masks/{n}_expert{who}.png", ("1", "2", "3")),
        ("masks/{n}/{who}.png", ("Müller", "Schmidt")),
    ],
)
def test_whose_masks_count_is_asked(bench: Bench, template: str, names: tuple[str, ...]) -> None:
    drawn = _redrawn(len(names))
    files = _set(template, names, drawn)
    [question] = bench.run(files).questions
    assert question.code == "several_masks"
    choices = {one.key: one for one in question.choices}
    assert set(choices) == {"union", "classes", *(f"masks_{place + 1}" for place in range(len(names)))}
    for place in range(len(names)):
        result = bench.run(files, **choices[f"masks_{place + 1}"].options)
        assert result.questions == ()
        for (_, mask), masks in zip(bench.arrays().values(), drawn, strict=True):
            np.testing.assert_array_equal(mask > 0, masks[place] > 0)


def test_classes_that_lie_apart_are_not_asked_about(bench: Bench) -> None:
    drawn = [[ids * (ids == 1), ids * (ids > 1)] for ids in (objects(3, number) for number in range(COUNT))]
    result = bench.run(_set("masks/{who}/{n}.png", ("alice", "bob"), drawn))
    assert result.summary is not None, result.questions
    assert [one.name for one in result.summary.classes[1:]] == ["alice", "bob"]


def test_a_class_within_another_is_not_asked_about(bench: Bench) -> None:
    drawn = []
    for number in range(COUNT):
        ids = objects(3, number)
        drawn.append([ids, ids * (ids == 1)])
    result = bench.run(_set("masks/{who}/{n}.png", ("lung", "nodule"), drawn))
    assert result.summary is not None, result.questions

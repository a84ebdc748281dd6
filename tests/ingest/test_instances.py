"""Masks whose values are ids of objects are told from masks of classes."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import Array, Bench, codes, encoded
from tests.ingest.scenes import HEIGHT, WIDTH, answers, by_value, classes, names_of, objects, upload_of
from trainyard.datasets.record import IngestOptions
from trainyard.storage.files import DatasetFolder
from workers.ingest.pipeline import ingest

COUNTS = (2, 3, 5, 7, 4, 6, 9, 18)
"""Objects in each image."""

FEWER = (2, 3, 5, 7, 4, 6, 9, 12)
"""As many as an image may show classes of one piece each: layers, nested outlines, parts of a body."""

OBJECT = {0: "background", 1: "object"}


def ids_of(counts: tuple[int, ...] = COUNTS) -> list[Array]:
    return [objects(count, seed) for seed, count in enumerate(counts)]


def unique(ids: list[Array]) -> list[Array]:
    """The same objects with ids that no other image has."""
    highest = np.cumsum([0, *(one.max() for one in ids[:-1])])
    return [np.where(one > 0, one + first, 0) for one, first in zip(ids, highest, strict=True)]


def in_colors(ids: Array, seed: int) -> Array:
    table = np.random.default_rng(seed).integers(1, 256, (256, 3), dtype=np.uint8)
    table[0] = 0
    return np.asarray(table[ids])


def paletted(ids: Array) -> bytes:
    image = Image.frombytes("P", (WIDTH, HEIGHT), ids.astype(np.uint8).tobytes())
    image.putpalette(np.random.default_rng(3).integers(0, 256, 768, dtype=np.uint8).tolist())
    return encoded(image)


KINDS: dict[str, Callable[[list[Array]], list[bytes]]] = {
    "8 bits": lambda ids: [encoded(one.astype(np.uint8)) for one in ids],
    "16 bits": lambda ids: [encoded(one.astype(np.uint16)) for one in ids],
    "16 bits, tiff": lambda ids: [encoded(one.astype(np.uint16), "TIFF") for one in ids],
    "32 bits": lambda ids: [encoded(one.astype(np.int32), "TIFF") for one in ids],
    "every 12th": lambda ids: [encoded((12 * one).astype(np.uint8)) for one in ids],
    "every 37th": lambda ids: [encoded((37 * one).astype(np.uint16)) for one in ids],
    "spread": lambda ids: [encoded((257 * one).astype(np.uint16)) for one in ids],
    "palette": lambda ids: [paletted(one) for one in ids],
    "grey RGB": lambda ids: [encoded(np.dstack([one.astype(np.uint8)] * 3)) for one in ids],
    "unique": lambda ids: [encoded(one.astype(np.uint8)) for one in unique(ids)],
    "unique, from 1000": lambda ids: [
        encoded(np.where(one > 0, one + 1000, 0).astype(np.uint16)) for one in unique(ids)
    ],
    "colours": lambda ids: [encoded(in_colors(one, seed)) for seed, one in enumerate(ids)],
    "the same colours": lambda ids: [encoded(in_colors(one, 5)) for one in ids],
}


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_one_class(bench: Bench, kind: str) -> None:
    ids = ids_of()
    result = bench.run(upload_of(KINDS[kind](ids), ids))
    assert names_of(result) == OBJECT
    assert result.summary is not None
    assert result.summary.reading is not None
    assert any("ids of objects" in guess or "apart" in guess for guess in result.summary.reading.guesses)
    for name, (_, mask) in bench.arrays().items():
        assert np.array_equal(mask, ids[int(name)] > 0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_client_may_say_so(bench: Bench, kind: str) -> None:
    ids = ids_of((3, 3, 3))
    result = bench.run(upload_of(KINDS[kind](ids), ids), objects="one_class")
    assert names_of(result) == OBJECT
    assert np.array_equal(bench.arrays()["000"][1], ids[0] > 0)


@pytest.mark.parametrize("kind", ["8 bits", "palette", "colours"])
def test_the_client_may_say_that_they_are_classes(bench: Bench, kind: str) -> None:
    ids = ids_of((2, 3, 4, 5, 6))
    result = bench.run(upload_of(KINDS[kind](ids), ids), objects="classes")
    assert len(names_of(result)) > 5


@pytest.mark.parametrize("kind", ["8 bits", "16 bits", "every 37th", "unique"])
def test_the_client_names_the_one_class(bench: Bench, kind: str) -> None:
    ids = ids_of()
    named = {0: "background", 1: "person"}
    result = bench.run(upload_of(KINDS[kind](ids), ids), classes=named)
    assert names_of(result) == named
    assert codes(result) == []
    assert np.array_equal(bench.arrays()["007"][1], ids[7] > 0)


def test_a_file_names_the_one_class(bench: Bench) -> None:
    ids = ids_of()
    files = upload_of(KINDS["8 bits"](ids), ids) | {"classes.txt": b"cell\n"}
    assert names_of(bench.run(files)) == {0: "background", 1: "cell"}


@pytest.mark.parametrize(
    "counts", [(1, 2, 1, 2, 2, 1, 2), (1, 2), (3, 3, 3), (4, 4), (4,) * 2 + (3,), (1, 3, 2, 3, 1, 2)]
)
def test_few_ids_or_images_are_asked_about(bench: Bench, counts: tuple[int, ...]) -> None:
    ids = ids_of(counts)
    results = answers(bench, upload_of(KINDS["8 bits"](ids), ids))
    assert names_of(results["one_class"]) == OBJECT
    assert names_of(results["classes"]) == {
        value: f"class_{value}" if value else "background" for value in range(max(counts) + 1)
    }


def test_few_ids_beyond_the_named_class_are_asked_about_and_never_dropped(bench: Bench) -> None:
    ids = ids_of((1, 2, 1, 3, 2, 3))
    files = upload_of(KINDS["8 bits"](ids), ids)
    named = {0: "background", 1: "person"}
    asked = bench.run(files, classes=named)
    assert None not in (asked.proposed_label_map or {}).values()
    results = answers(bench, files, classes=named)
    assert names_of(results["one_class"]) == named
    assert names_of(results["classes"]) == {**named, 2: "class_2", 3: "class_3"}


def test_it_may_be_assumed(bench: Bench) -> None:
    ids = ids_of((1, 2, 1, 3))
    result = bench.run(upload_of(KINDS["8 bits"](ids), ids), on_question="assume")
    assert names_of(result) == OBJECT
    assert codes(result, "warning") == ["objects"]


@pytest.mark.parametrize("kind", ["8 bits", "palette"])
def test_a_border_of_no_class_stays_one(bench: Bench, kind: str) -> None:
    ids = ids_of()
    for one in ids:
        one[:4] = 255
    result = bench.run(upload_of(KINDS[kind](ids), ids))
    assert names_of(result) == OBJECT
    assert codes(result, "warning") == ["ignore_guessed"]
    assert (bench.arrays()["000"][1][:4] == 255).all()


def test_the_ignored_value_is_no_object(bench: Bench) -> None:
    ids = ids_of()
    for one in ids:
        one[:4] = 250
    result = bench.run(upload_of(KINDS["8 bits"](ids), ids), objects="one_class", ignore_value=250)
    assert names_of(result) == OBJECT
    assert (bench.arrays()["000"][1][:4] == 255).all()


CLASS_SETS = {
    "all in every image": [range(1, 4)] * 8,
    "some are absent": [(1, 2, 3), (2, 3), (1, 3), (1, 2), (3,), (1, 2, 3), (2,), (1,)],
    "the later the rarer": [(1,), (1, 2), (1, 2, 3), (1,), (1, 2), (1,), (1, 2, 3), (1, 2)],
    "many": [(1, 2, 3, 4, 5, 6), (1, 2, 3), (1, 2), (1, 2, 3, 4, 5), (1,), (1, 2, 3, 4)],
}


@pytest.mark.parametrize("kind", CLASS_SETS)
def test_classes_of_several_pieces_stay_classes(bench: Bench, kind: str) -> None:
    masks = [classes(values, 3, seed) for seed, values in enumerate(CLASS_SETS[kind])]
    result = bench.run(upload_of(map(encoded, masks), masks))
    highest = max(max(values) for values in CLASS_SETS[kind])
    assert len(names_of(result)) == highest + 1


def test_classes_of_one_piece_stay_classes(bench: Bench) -> None:
    masks = [classes(values, 1, seed) for seed, values in enumerate(CLASS_SETS["some are absent"])]
    assert len(names_of(bench.run(upload_of(map(encoded, masks), masks)))) == 4


def test_parts_of_one_piece_in_every_image_stay_classes(bench: Bench) -> None:
    """Left and right are as large, but the third is always the smallest."""
    masks = []
    for number in range(8):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[20 : 80 + number, 10:60] = 1
        mask[20 : 80 + 7 * number % 11, 80:130] = 2
        mask[100:110, 60:80] = 3
        masks.append(mask)
    assert len(names_of(bench.run(upload_of(map(encoded, masks), masks)))) == 4


def test_classes_of_a_constant_order_of_size_stay_classes(bench: Bench) -> None:
    """A tumour lies within its organ, and only some have one."""
    masks = []
    for number in range(12):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[20:100, 20 + number : 120] = 1
        if number % 2:
            mask[40:60, 50:80] = 2
        masks.append(mask)
    assert len(names_of(bench.run(upload_of(map(encoded, masks), masks)))) == 3


def test_masks_without_background_show_no_objects(bench: Bench) -> None:
    """The image is parted among its values, of which none surrounds the others."""
    masks = []
    for number in range(6):
        values = np.random.default_rng(number).permutation(7)[: 2 + number]
        masks.append(np.repeat(np.resize(values, HEIGHT)[:, None], WIDTH, axis=1).astype(np.uint8))
    assert len(names_of(bench.run(upload_of(map(encoded, masks), masks)))) == 7


def nested(count: int, seed: int) -> Array:
    """Each within the one before, as levels of dose or depth are."""
    rows, columns = np.indices((HEIGHT, WIDTH))
    distance = np.hypot(rows - 60, columns - 70 - seed)
    return np.asarray(np.add.reduce([distance < 58 - 6 * level for level in range(count)]), np.uint8)


def layered(count: int, seed: int) -> Array:
    """Bands that touch, as layers of tissue do."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for value in range(1, count + 1):
        mask[8 * value : 8 * value + 8, 20 + seed : 140] = value
    return mask


@pytest.mark.parametrize("draw", [nested, layered, lambda count, seed: classes(range(1, count + 1), 1, seed)])
@pytest.mark.parametrize("counts", [(3, 5, 2, 6, 4, 1), (1, 2, 3, 4, 5, 6, 7, 8), (1, 2, 3, 1, 2, 3, 2)])
def test_files_of_the_first_so_many_classes_are_asked_about(
    bench: Bench, draw: Callable[[int, int], Array], counts: tuple[int, ...]
) -> None:
    masks = [draw(count, seed) for seed, count in enumerate(counts)]
    results = answers(bench, upload_of(map(encoded, masks), masks))
    assert list(results) == ["one_class", "classes"]
    assert len(names_of(results["classes"])) == max(counts) + 1
    for name, (_, mask) in bench.arrays().items():
        assert np.array_equal(mask, masks[int(name)])


@pytest.mark.parametrize("kind", ["8 bits", "every 12th", "palette", "grey RGB", "the same colours"])
def test_fewer_ids_are_asked_about(bench: Bench, kind: str) -> None:
    ids = ids_of(FEWER)
    results = answers(bench, upload_of(KINDS[kind](ids), ids))
    assert names_of(results["one_class"]) == OBJECT
    assert len(names_of(results["classes"])) == 13


ODD_IDS: dict[str, Callable[[Array], Array]] = {
    "from 2": lambda ids: np.where(ids > 0, ids + 1, 0),
    "from 10": lambda ids: np.where(ids > 0, ids + 9, 0),
    "255 around ids from 0": lambda ids: np.where(ids > 0, ids - 1, 255),
    "255 around ids from 1": lambda ids: np.where(ids > 0, ids, 255),
    "1 around ids from 2": lambda ids: ids + 1,
    "down from 254": lambda ids: np.where(ids > 0, 255 - ids, 0),
    "spread up to 255": lambda ids: np.rint(ids * (255 / ids.max())),
    "spread in whole steps": lambda ids: ids * (255 // ids.max()),
    "shuffled": lambda ids: np.where(ids > 0, 1 + ids * 7 % 23, 0),
    "from 1, some taken out": lambda ids: np.where(np.isin(ids, (2, 5)), 0, ids),
}


@pytest.mark.parametrize("kind", ODD_IDS)
@pytest.mark.parametrize("counts", [FEWER, (3, 5, 2, 3, 4, 3)])
def test_ids_written_in_other_ways_are_asked_about(bench: Bench, kind: str, counts: tuple[int, ...]) -> None:
    ids = ids_of(counts)
    masks = [ODD_IDS[kind](one).astype(np.uint8) for one in ids]
    files = upload_of(map(encoded, masks), ids)
    [question] = bench.run(files).questions
    assert question.code == "objects"
    options = {name: by_value(content) for name, content in question.choices[0].options.items()}
    assert names_of(bench.run(files, **options)) == OBJECT
    surrounding = masks[0][0, 0]
    for name, (_, mask) in bench.arrays().items():
        assert np.array_equal(mask, masks[int(name)] != surrounding)


@pytest.mark.parametrize("counts", [(3,) * 8, (5,) * 6, (2, 5, 5, 5)])
def test_as_many_objects_in_each_image_are_asked_about(bench: Bench, counts: tuple[int, ...]) -> None:
    ids = ids_of(counts)
    assert list(answers(bench, upload_of(KINDS["8 bits"](ids), ids))) == ["one_class", "classes"]


def test_objects_that_others_part_are_asked_about(bench: Bench) -> None:
    ids = ids_of()
    for one in ids:
        one[:30, 13::26] = 0
    assert names_of(answers(bench, upload_of(KINDS["8 bits"](ids), ids))["one_class"]) == OBJECT


def test_colours_of_objects_on_white_are_asked_about(bench: Bench) -> None:
    ids = ids_of(FEWER)
    colored = [np.where(one[..., None] > 0, in_colors(one, seed), 255) for seed, one in enumerate(ids)]
    files = upload_of([encoded(one.astype(np.uint8)) for one in colored], ids)
    [question] = bench.run(files).questions
    options = {name: by_value(content) for name, content in question.choices[0].options.items()}
    assert names_of(bench.run(files, **options)) == OBJECT
    assert np.array_equal(bench.arrays()["004"][1], ids[4] > 0)


def test_ids_of_classes_times_1000_are_refused_with_the_way_out(bench: Bench) -> None:
    ids = [classes((1, 2, 3), 2, seed).astype(np.uint16) * 1000 + seed for seed in range(6)]
    result = bench.run(upload_of(map(encoded, ids), ids))
    assert set(codes(result)) == {"mask_values_range"}
    assert "`objects: one_class`" in result.problems[0].remedy


def test_several_named_classes_are_no_single_one(bench: Bench) -> None:
    ids = ids_of((2, 3, 4))
    named = {0: "background", 1: "a", 2: "b"}
    result = bench.run(upload_of(KINDS["8 bits"](ids), ids), objects="one_class", classes=named)
    assert codes(result) == ["objects_classes"]


@pytest.mark.parametrize("kind", ["8 bits", "16 bits", "palette"])
def test_previews_show_each_reading(bench: Bench, kind: str) -> None:
    ids = ids_of((1, 3, 2, 3, 1))
    path = bench.zip(upload_of(KINDS[kind](ids), ids))
    ingest(path, bench.folder, IngestOptions(), lambda done, total: None)
    shown = {}
    for key in ("one_class", "classes"):
        picture = Image.open(DatasetFolder(bench.folder).previews / f"objects-{key}.png")
        masks = np.asarray(picture)[:HEIGHT, WIDTH + 4 :]
        shown[key] = len(np.unique(masks.reshape(-1, 3), axis=0))
    assert shown["one_class"] == 2
    assert shown["classes"] >= 2

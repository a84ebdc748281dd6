"""Masks of one class each whose pixels overlap."""

import io
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.service.datasets.previews import render
from app.service.datasets.samples import PreparedIndex, SampleService
from tests.ingest.made import Bench, codes, encoded, photo
from trainyard.datasets.record import Task
from trainyard.storage.files import DatasetFolder
from trainyard.storage.json_files import read_json
from workers.ingest.classes.multilabel import bit_fields, meanings
from workers.ingest.reading.statistics import content_hash

HEIGHT, WIDTH = 48, 64
CAT, DOG, TAIL = (230, 80, 60), (60, 140, 230), (70, 180, 90)
"""The first three colours that classes get."""


def area(left: int, right: int) -> np.ndarray[Any, Any]:
    """A mask of white columns from `left` up to `right`."""
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
    drawn[:, left:right] = 255
    return drawn


PLACES = {
    "0": {"cat": (0, 32), "dog": (16, 48), "tail": (24, 32)},
    "1": {"cat": (0, 16), "dog": (16, 32)},
    "2": {"dog": (8, 24)},
    "3": {"cat": (0, 8), "background": (8, 64)},
}
"""Columns of each class in each image; the rest of an image has no class."""


def files(places: dict[str, dict[str, tuple[int, int]]] = PLACES) -> dict[str, bytes]:
    made = {}
    for seed, (name, drawn) in enumerate(places.items()):
        made[f"images/{name}.png"] = encoded(photo(seed, HEIGHT, WIDTH))
        for cls, (left, right) in drawn.items():
            made[f"masks/{cls}/{name}.png"] = encoded(area(left, right))
    return made


def summary(bench: Bench, **options: Any) -> Any:
    found = bench.run(files(), **options).summary
    assert found is not None, bench.result
    return found


def index(bench: Bench) -> PreparedIndex:
    """What the API sees of the version."""
    assert bench.result is not None
    record = SimpleNamespace(summary=bench.result.summary)
    datasets = SimpleNamespace(get=lambda _: record)
    storage = SimpleNamespace(dataset=lambda _: DatasetFolder(bench.folder))
    return SampleService(datasets, storage).index("ds")  # type: ignore[arg-type]


def picture(bench: Bench, layer: Any) -> Image.Image:
    found = index(bench)
    return Image.open(io.BytesIO(render(found, found.samples[0], layer)))


@pytest.mark.parametrize("processes", [1, 2])
def test_pixels_keep_every_class(bench: Bench, processes: int) -> None:
    found = summary(bench, processes=processes)
    row = bench.arrays()["0"][1][5]
    assert row[[0, 16, 24, 32, 48]].tolist() == [0b001, 0b011, 0b111, 0b010, 0]
    assert (found.task, bench.prepared.task) == ("multilabel", "multilabel")
    assert read_json(bench.version / "index.json")["task"] == "multilabel"
    assert codes(bench.result, "warning") == ["multilabel_overlap"]  # type: ignore[arg-type]
    [problem] = bench.result.problems  # type: ignore[union-attr]
    assert f"{16 * HEIGHT} pixels of 1 image(s)" in problem.message
    assert problem.file == "masks/cat/0.png"


def test_statistics_count_a_pixel_for_each_of_its_classes(bench: Bench) -> None:
    found = summary(bench)
    assert [(one.index, one.value, one.name, one.images) for one in found.classes] == [
        (0, 1, "cat", 3),
        (1, 2, "dog", 3),
        (2, 3, "tail", 1),
    ]
    assert [one.pixels for one in found.classes] == [HEIGHT * columns for columns in (56, 64, 8)]
    assert [one.share for one in found.classes] == pytest.approx([56 / 256, 64 / 256, 8 / 256])
    assert found.ignore_share == 0
    assert {sample.name: sample.classes for sample in bench.prepared.samples} == {
        "0": (0, 1, 2),
        "1": (0, 1),
        "2": (1,),
        "3": (0,),
    }


def test_shares_may_add_up_to_more_than_one(bench: Bench) -> None:
    everywhere = {"0": {"a": (0, WIDTH), "b": (0, WIDTH)}, "1": {"a": (0, WIDTH), "b": (0, WIDTH)}}
    found = bench.run(files(everywhere)).summary
    assert found is not None
    assert [one.share for one in found.classes] == [1, 1]
    assert found.ignore_share == 0


def test_classes_that_never_overlap_make_an_ordinary_set(bench: Bench) -> None:
    apart = {**PLACES, "0": {"cat": (0, 16), "dog": (16, 48), "tail": (48, 56)}}
    found = bench.run(files(apart)).summary
    assert found is not None
    assert (found.task, bench.prepared.task) == ("multiclass", "multiclass")
    assert [(one.value, one.name) for one in found.classes] == list(
        enumerate(("background", "cat", "dog", "tail"))
    )
    assert bench.arrays()["0"][1][5, [0, 16, 48, 56]].tolist() == [1, 2, 3, 0]
    assert codes(bench.result, "warning") == []  # type: ignore[arg-type]


def test_the_hash_has_task_and_classes(bench: Bench) -> None:
    first = summary(bench).content_hash
    assert summary(bench).content_hash == first
    assert summary(bench, classes={1: "cat", 2: "hound", 3: "tail"}).content_hash != first
    tasks: tuple[Task, Task] = ("multiclass", "multilabel")
    one, other = (content_hash(task, bench.prepared.classes, bytes(256), [], {}) for task in tasks)
    assert one != other


def test_an_index_without_a_task_is_multiclass(bench: Bench) -> None:
    summary(bench)
    written = bench.version / "index.json"
    content = json.loads(written.read_text())
    del content["task"]
    written.write_text(json.dumps(content))
    assert (bench.prepared.task, index(bench).task) == ("multiclass", "multiclass")


def crowd(count: int) -> dict[str, bytes]:
    """Masks of so many classes, of which each covers a column less than the one before."""
    drawn = {f"c{number:03d}": (0, max(1, WIDTH - number)) for number in range(count)}
    return files({"0": drawn, "1": drawn})


def test_eight_classes_are_the_bits_of_a_byte(bench: Bench) -> None:
    found = bench.run(crowd(8)).summary
    assert found is not None
    assert [one.pixels for one in found.classes] == [2 * HEIGHT * (WIDTH - number) for number in range(8)]
    assert bench.arrays()["0"][1][0, 0] == 255
    overlay = picture(bench, "overlay").convert("RGB")
    assert (160, 160, 160) not in {color for _, color in overlay.getcolors(1 << 20)}, "255 is not ignored"


@pytest.mark.parametrize("processes", [1, 2])
def test_more_classes_are_planes(bench: Bench, processes: int) -> None:
    found = bench.run(crowd(11), processes=processes).summary
    assert found is not None
    assert (found.task, [one.pixels for one in found.classes]) == (
        "multilabel", [2 * HEIGHT * (WIDTH - number) for number in range(11)],
    )  # fmt: skip
    mask = bench.arrays()["0"][1]
    assert mask.shape == (HEIGHT, WIDTH, 2)
    assert [row.tolist() for row in mask[0, [0, WIDTH - 1, WIDTH - 9]]] == [[255, 7], [1, 0], [255, 1]]
    image, overlay = picture(bench, "image").convert("RGB"), picture(bench, "overlay").convert("RGB")
    assert overlay.getpixel((9, 9)) != image.getpixel((9, 9))
    planes = picture(bench, "mask")
    assert planes.height == 2 * (planes.height // 2)
    assert planes.getpixel((0, planes.height - 1)) == 7


def test_as_many_classes_as_masks_tell_apart(bench: Bench) -> None:
    found = bench.run(crowd(254)).summary
    assert found is not None
    assert len(found.classes) == 254
    mask = bench.arrays()["1"][1]
    assert mask.shape == (HEIGHT, WIDTH, 32)
    assert np.unpackbits(mask[0, 0], bitorder="little").sum() == 254
    assert set(codes(bench.run(crowd(255)))) == {"too_many_classes"}


def test_many_classes_that_never_overlap_make_an_ordinary_set(bench: Bench) -> None:
    drawn = {f"c{number:02d}": (number, number + 1) for number in range(20)}
    found = bench.run(files({"0": drawn, "1": {"c03": (0, 9)}})).summary
    assert found is not None
    assert (found.task, len(found.classes)) == ("multiclass", 21)
    masks = bench.arrays()
    assert masks["0"][1][0, :22].tolist() == [*range(1, 21), 0, 0]
    assert masks["1"][1][0, [0, 8, 9]].tolist() == [4, 4, 0]
    assert not (bench.version / "mask_planes.bin").exists()


def test_planes_follow_a_label_map_and_the_order_of_names(bench: Bench) -> None:
    merged = bench.run(crowd(11), label_map={2: 1, 11: 0}).summary
    assert merged is not None
    assert [one.pixels for one in merged.classes][:2] == [2 * HEIGHT * WIDTH, 0]
    assert merged.classes[-1].pixels == 0
    assert bench.arrays()["0"][1][0, 0].tolist() == [0b11111101, 0b011]


def test_planes_are_shrunk_bit_by_bit(bench: Bench) -> None:
    bench.run(crowd(11), max_side=32)
    assert bench.arrays()["0"][1].shape == (24, 32, 2)
    assert bench.arrays()["0"][1][0, 0].tolist() == [255, 7]


def test_a_label_map_merges_and_drops_classes(bench: Bench) -> None:
    found = summary(bench, label_map={3: 2})
    assert [one.pixels for one in found.classes] == [HEIGHT * 56, HEIGHT * 64, 0]
    assert bench.arrays()["0"][1][5, [16, 24]].tolist() == [0b011, 0b011]
    merged = summary(bench, label_map={2: 1, 3: 0})
    assert merged.task == "multiclass"
    assert bench.arrays()["0"][1][5, [0, 24, 47, 48]].tolist() == [1, 1, 1, 0]
    assert [one.pixels for one in merged.classes[1:]] == [HEIGHT * (48 + 32 + 16 + 8), 0, 0]


@pytest.mark.parametrize("options", [{"ignore_value": 255}, {"label_map": {2: None}}])
def test_nothing_can_be_ignored(bench: Bench, options: dict[str, Any]) -> None:
    assert codes(bench.run(files(), **options)) == ["multilabel_ignore"]


def test_a_class_that_the_client_leaves_out_is_an_error(bench: Bench) -> None:
    result = bench.run(files(), classes={0: "none", 1: "cat", 2: "dog"})
    assert codes(result) == ["unknown_value"]
    assert result.proposed_label_map is None


def test_as_many_planes_as_classes_are_named(bench: Bench) -> None:
    named = bench.run(files(), classes={value: f"c{value}" for value in range(1, 10)}).summary
    assert named is not None
    assert [one.pixels > 0 for one in named.classes] == [True] * 3 + [False] * 6
    mask = bench.arrays()["0"][1]
    assert (mask.shape, mask[5, 24].tolist()) == ((HEIGHT, WIDTH, 2), [0b111, 0])


def test_bits_follow_the_order_of_the_named_classes(bench: Bench) -> None:
    made = files()
    made["masks/bird/0.png"] = encoded(area(0, 0))  # empty, and first by name
    found = bench.run(made, classes={2: "cat", 3: "dog", 4: "tail"}).summary
    assert found is not None
    assert [(one.index, one.value, one.name) for one in found.classes] == [
        (0, 2, "cat"),
        (1, 3, "dog"),
        (2, 4, "tail"),
    ]
    assert bench.arrays()["0"][1][5, [0, 16, 24, 32]].tolist() == [0b001, 0b011, 0b111, 0b010]


def test_shrunk_masks_keep_their_bits(bench: Bench) -> None:
    summary(bench, max_side=WIDTH // 2)
    assert bench.arrays()["0"][1][5, [0, 8, 12, 16, 24]].tolist() == [0b001, 0b011, 0b111, 0b010, 0]


def test_an_image_with_a_mask_of_the_background_alone(bench: Bench) -> None:
    result = bench.run(files({**PLACES, "3": {"background": (0, WIDTH)}}))
    assert result.summary is not None
    assert not bench.arrays()["3"][1].any()


def test_a_preview_shows_the_mean_of_colours(bench: Bench) -> None:
    summary(bench)
    mean = lambda *colors: tuple(round(sum(parts) / len(colors)) for parts in zip(*colors, strict=True))  # noqa: E731
    shown = picture(bench, "mask")
    scale = shown.width / WIDTH
    colors = shown.convert("RGB")
    expected = {4: CAT, 20: mean(CAT, DOG), 28: mean(CAT, DOG, TAIL), 40: DOG, 56: (0, 0, 0)}
    assert {x: colors.getpixel((int(x * scale), 20)) for x in expected} == expected
    assert shown.getpixel((int(28 * scale), 20)) == 0b111


def test_an_overlay_tints_with_the_mean_and_names_each_class(bench: Bench) -> None:
    summary(bench)
    overlay, image = picture(bench, "overlay").convert("RGB"), picture(bench, "image").convert("RGB")
    scale = image.width / WIDTH
    for x, color in ((20, (145, 110, 145)), (40, DOG)):
        place = (int(x * scale) + 2, 40)
        half = [(over + under) / 2 for over, under in zip(color, image.getpixel(place), strict=True)]
        assert overlay.getpixel(place) == pytest.approx(half, abs=2)
    bare = (int(56 * scale), 40)
    assert overlay.getpixel(bare) == image.getpixel(bare)
    legend = {color for _, color in overlay.crop((0, image.height, *overlay.size)).getcolors(1 << 20)}
    assert {CAT, DOG, TAIL} <= legend
    assert [one.name for one in index(bench).samples[2].classes] == ["dog"]


def test_bits_mean_their_values() -> None:
    values = dict.fromkeys((0b1, 0b11, 0b100, 0b101, 0b10100000, 1 << 20), 1)
    found = bit_fields([SimpleNamespace(values=values)])  # type: ignore[list-item]
    assert (found[0], found[1], found[0b10100000], found[1 << 20]) == ({0}, {1}, {6, 8}, {21})
    swapped = meanings(found, [0, 2, 1, 0, *range(4, 256)])
    assert (swapped[0b1], swapped[0b11], swapped[0b100], swapped[0b101]) == ({2}, {1, 2}, {0}, {2})


@pytest.mark.parametrize(
    "places",
    [
        ("labels/material/{}.png", "labels/damage/{}.png"),
        ("masks/{}_organ.png", "masks/{}_lesion.png"),
        ("coarse_labels/{}.png", "fine_labels/{}.png"),
        ("label_1/{}.png", "label_2/{}.png"),
    ],
)
@pytest.mark.parametrize("levels", [(1, 2, 3), (80, 160, 240)])
def test_masks_with_values_of_their_own_are_no_masks_of_one_class(
    bench: Bench, places: tuple[str, str], levels: tuple[int, int, int]
) -> None:
    made = {}
    for number in range(6):
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        for place, level in enumerate(levels):
            labels[4 : 24 + number, 4 + 20 * place : 20 + 20 * place] = level
        made[f"images/{number}.png"] = encoded(photo(number, HEIGHT, WIDTH))
        made[places[0].format(number)] = encoded(labels)
        made[places[1].format(number)] = encoded(np.where(labels == levels[1], 255, 0).astype(np.uint8))
    [question] = bench.run(made).questions
    assert question.code == "masks_ambiguous"
    counts = set()
    for choice in question.choices[:2]:
        found = bench.run(made, **choice.options).summary
        assert found is not None
        counts.add(len(found.classes))
    assert counts == {2, 4}

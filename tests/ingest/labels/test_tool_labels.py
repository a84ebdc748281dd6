"""Labels of whole images in the exports of annotation tools."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.ingest.labels.folder_sets import labels, loose, summary
from tests.ingest.made import Bench

IMAGES = loose(6)
ONE = {n: [("cat", "dog")[n % 2]] for n in range(6)}
SEVERAL = {n: ["cat", "dog", "owl"][: 1 + n % 3] for n in range(6)}


def cvat(told: dict[int, list[str]], shape: str = "") -> bytes:
    images = "".join(
        f'<image id="{n}" name="{n}.jpg" width="24" height="20">'
        + "".join(f'<tag label="{name}" source="manual"></tag>' for name in names)
        + f"{shape}</image>"
        for n, names in told.items()
    )
    return f"<annotations><version>1.1</version><meta></meta>{images}</annotations>".encode()


def label_studio(told: dict[int, list[str]]) -> bytes:
    return json.dumps(
        [
            {
                "id": n,
                "data": {"image": f"/data/upload/1/0a1b2c3d-{n}.jpg"},
                "annotations": [
                    {"id": n, "result": [{"type": "choices", "value": {"choices": names}, "from_name": "c"}]}
                ],
            }
            for n, names in told.items()
        ]
    ).encode()


def coco(told: dict[int, list[str]], **geometry: Any) -> bytes:
    names = sorted({name for some in told.values() for name in some})
    annotations = [
        {"id": 10 * n + place, "image_id": n, "category_id": names.index(name) + 1, **geometry}
        for n, some in told.items()
        for place, name in enumerate(some)
    ]
    return json.dumps(
        {
            "images": [{"id": n, "file_name": f"{n}.jpg", "width": 24, "height": 20} for n in told],
            "categories": [{"id": place + 1, "name": name} for place, name in enumerate(names)],
            "annotations": annotations,
        }
    ).encode()


WAYS: dict[str, Callable[[dict[int, list[str]]], bytes]] = {
    "annotations.xml": cvat,
    "export.json": label_studio,
    "labels.json": coco,
}


@pytest.mark.parametrize("name", WAYS)
def test_one_label_each(bench: Bench, name: str) -> None:
    bench.run(IMAGES | {name: WAYS[name](ONE)})
    assert summary(bench).task == "multiclass"
    assert labels(bench) == {str(n): tuple(names) for n, names in ONE.items()}


@pytest.mark.parametrize("name", WAYS)
def test_several_labels_each(bench: Bench, name: str) -> None:
    bench.run(IMAGES | {name: WAYS[name](SEVERAL)})
    assert summary(bench).task == "multilabel"
    assert labels(bench) == {str(n): tuple(names) for n, names in SEVERAL.items()}


def test_boxes_beside_tags_are_no_labels(bench: Bench) -> None:
    box = '<box label="cat" xtl="2" ytl="2" xbr="9" ybr="9" occluded="0"></box>'
    bench.run(IMAGES | {"annotations.xml": cvat(ONE, box)})
    assert summary(bench).kinds == ("boxes", "masks")


def test_boxes_of_coco_are_no_labels(bench: Bench) -> None:
    bench.run(IMAGES | {"boxes.json": coco(ONE, bbox=[1, 1, 5, 5])})
    assert summary(bench).kinds == ("boxes",)

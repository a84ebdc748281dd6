"""Mapillary Vistas: the family's demands, and which version is read."""

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from hypothesis import given

from tests.ingest.formats.family import HEIGHT, WIDTH, FormatFamily, Real, left_half, picture
from tests.ingest.formats.junk import DRAWN, junked, outcome, survives
from tests.ingest.made import encoded
from workers.ingest.formats.folders.mapillary import Mapillary

LABELS = [
    {"name": "construction--road", "readable": "Road", "color": [128, 64, 128]},
    {"name": "object--car", "readable": "Car", "color": [0, 0, 142]},
    {"name": "void--unlabeled", "readable": "Unlabeled", "color": [0, 0, 0]},
]
NAMES = {0: "construction--road", 1: "object--car"}


def config(*labels: dict[str, Any]) -> bytes:
    return json.dumps({"labels": list(labels), "version": "1.1"}).encode()


class TestMapillary(FormatFamily):
    reader = Mapillary()
    names: ClassVar = NAMES
    masks: ClassVar = {"a": left_half(1), "b": np.zeros((HEIGHT, WIDTH), np.uint8), "c": left_half(2)}
    splits: ClassVar = {"a": "train", "b": "train", "c": "val"}
    image = "validation/images/c.png"
    annotation = "config_v2.0.json"
    real = (
        Real(
            folder="formats/datumaro_tiny/mapillary_vistas_dataset",
            items=3,
            shares={},
            splits=frozenset(("train", "val")),
        ),
    )

    def files(self) -> dict[str, bytes]:
        files = {"config_v1.2.json": config(LABELS[2]), "config_v2.0.json": config(*LABELS)}
        for seed, (name, mask) in enumerate(self.masks.items()):
            split = {"train": "training", "val": "validation"}[self.splits[name]]
            files[f"{split}/images/{name}.png"] = picture(seed)
            files[f"{split}/v1.2/labels/{name}.png"] = encoded(np.zeros_like(mask))
            files[f"{split}/v2.0/labels/{name}.png"] = encoded(mask)
        return files


def test_sets_without_versions_have_one_config(tmp_path: Path) -> None:
    files = {
        "config.json": config(*LABELS),
        "training/images/a.jpg": picture(),
        "training/labels/a.png": encoded(left_half(1)),
    }
    result = outcome(Mapillary(), tmp_path, files)
    assert result.problems == []
    assert result.found is not None
    assert (result.found.names, result.found.ignore_value) == (NAMES, 2)
    assert result.found.colors[1] == (0, 0, 142)
    np.testing.assert_array_equal(result.mask, left_half(1))


@DRAWN
@given(junked(json.loads(config(*LABELS))))
def test_junk_in_the_config_never_crashes(document: Any) -> None:
    files = {"images/a.jpg": picture(), "labels/a.png": encoded(left_half(1))}
    survives(Mapillary(), files | {"config.json": json.dumps(document).encode("utf-8", "replace")})

"""Images that annotations call by addresses on the web, or with signs that these encode."""

import pytest

from tests.ingest.formats.coco_files import annotation, coco_file, image_record
from tests.ingest.made import Bench, encoded, photo

NAMES = ("a 1.png", "b+2.png", "c#3.png", "d%.png", "ü.png")
SQUARE = [[1, 1, 5, 1, 5, 5, 1, 5]]


def _read(bench: Bench, references: list[str]) -> None:
    files = {f"imgs/{name}": encoded(photo(place)) for place, name in enumerate(NAMES)}
    images = [image_record(place, one, 8, 6) for place, one in enumerate(references)]
    annotations = [annotation(SQUARE, 1, image_id=place) for place in range(len(NAMES))]
    files["annotations.json"] = coco_file(annotations, images, [{"id": 1, "name": "thing"}])
    result = bench.run(files)
    assert result.summary is not None, result.problems
    assert result.summary.images == len(NAMES)
    assert result.problems == ()


ENCODED = ("a%201.png", "b%2B2.png", "c%233.png", "d%25.png", "%C3%BC.png")


@pytest.mark.parametrize(
    "form", ["https://host/x/{}", "s3://bucket/imgs/{}", "https://host/{}?w=9&name=q.png#z"]
)
def test_an_address_means_the_file_of_its_path(bench: Bench, form: str) -> None:
    _read(bench, [form.format(one) for one in ENCODED])


def test_encoded_names_are_decoded_where_no_file_is_called_so(bench: Bench) -> None:
    _read(bench, list(ENCODED))


def test_names_with_such_signs_stay_as_they_are(bench: Bench) -> None:
    _read(bench, list(NAMES))

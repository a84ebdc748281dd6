"""What is in a data set, as a list and as pictures."""

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.api import prepared
from tests.api.conftest import Hand, upload
from trainyard.storage.files import Storage

DATASETS = "/api/v1/datasets"


@pytest.fixture
def samples(client: FlaskClient, hand: Hand, storage: Storage) -> str:
    """The address of the samples of a set that is ready."""
    assert upload(client).status_code == 202
    dataset_id = hand.ingest(**prepared.summary())
    prepared.write(storage.dataset(dataset_id).version(prepared.HASH))
    return f"{DATASETS}/{dataset_id}/samples"


def names(client: FlaskClient, url: str) -> list[str]:
    return [item["name"] for item in client.get(url).json["items"]]  # type: ignore[index]


def picture(client: FlaskClient, url: str) -> Image.Image:
    response = client.get(url)
    assert response.status_code == 200, response.text
    assert response.mimetype == "image/png"
    return Image.open(io.BytesIO(response.data))


def test_samples_say_what_they_are(client: FlaskClient, samples: str):
    found: list[dict[str, Any]] = client.get(samples).json["items"]  # type: ignore[index]
    assert [item["index"] for item in found] == list(range(5))
    assert found[2] == {
        "index": 2,
        "name": "s2",
        "split": "val",
        "fold": 2,
        "width": 90,
        "height": 60,
        "classes": ["background", "pet", "rare"],
        "objects": None,
        "url": f"{samples}/2.png",
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("split=train", ["s0", "s1"]),
        ("split=unused", ["s4"]),
        ("class=rare", ["s2"]),
        ("class=2", ["s2"]),
        ("class=pet&split=val", ["s2"]),
        ("class=rare&split=train", []),
    ],
)
def test_they_are_filtered(client: FlaskClient, samples: str, query: str, expected: list[str]):
    assert names(client, f"{samples}?{query}") == expected


def test_pages_are_complete(client: FlaskClient, samples: str):
    seen, cursor = [], "0"
    while cursor is not None:
        page: Any = client.get(f"{samples}?limit=2&cursor={cursor}").json
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["s0", "s1", "s2", "s3", "s4"]


def test_an_unknown_class_lists_the_known(client: FlaskClient, samples: str):
    response = client.get(f"{samples}?class=dog")
    assert response.status_code == 422
    assert response.json["errors"]["class"] == ["one of: background, pet, rare"]


@pytest.mark.parametrize(
    "query", ["split=all", "limit=0", "cursor=-1", "cursor=x", "class=", "layer=image", "what=1"]
)
def test_odd_queries_name_the_field(client: FlaskClient, samples: str, query: str):
    response = client.get(f"{samples}?{query}")
    assert response.status_code == 422
    assert query.split("=")[0] in response.json["errors"]


def test_a_cursor_behind_the_end_finds_nothing(client: FlaskClient, samples: str):
    assert client.get(f"{samples}?cursor=999").json == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("layer", ["overlay", "image", "mask"])
@pytest.mark.parametrize("index", range(5))
def test_pictures_keep_their_size(client: FlaskClient, samples: str, index: int, layer: str):
    shown = picture(client, f"{samples}/{index}.png?layer={layer}")
    assert max(shown.size) <= 512
    if layer != "overlay":
        height, width = prepared.SIZES[index]
        assert shown.width / shown.height == pytest.approx(width / height, rel=0.02)


def test_an_overlay_tints_classes_and_greys_what_is_ignored(client: FlaskClient, samples: str):
    shown = picture(client, f"{samples}/1.png").convert("RGB")
    scale = shown.height / 700
    grey, half = prepared.GREY, lambda color: [(part + prepared.GREY) // 2 for part in color]
    assert shown.getpixel((10, 10)) == pytest.approx(half((250, 10, 20)), abs=2)
    background = shown.getpixel((int(250 * scale), 10))
    assert background == pytest.approx([grey] * 3, abs=2), "black classes leave the image as it is"


def test_the_legend_names_what_occurs(client: FlaskClient, samples: str):
    def colors(index: int) -> set[Any]:
        shown = picture(client, f"{samples}/{index}.png").convert("RGB")
        return {color for _, color in shown.getcolors(1 << 20)}

    assert (250, 10, 20) in colors(0)
    assert (10, 20, 250) not in colors(0)
    assert (10, 20, 250) in colors(2)


def test_a_mask_has_class_indices(client: FlaskClient, samples: str):
    shown = picture(client, f"{samples}/2.png?layer=mask")
    assert shown.mode == "P"
    assert {index for _, index in shown.getcolors()} == {0, 1, 2, 255}
    assert shown.getpalette()[3:6] == [250, 10, 20]


def test_a_picture_that_a_client_has_is_not_sent_again(client: FlaskClient, samples: str):
    first = client.get(f"{samples}/0.png")
    again = client.get(f"{samples}/0.png", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get(f"{samples}/0.png?layer=mask", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


@pytest.mark.parametrize("name", ["5.png", "-1.png", "x.png", "9" * 40 + ".png", "0.jpg"])
def test_there_is_no_other_picture(client: FlaskClient, samples: str, name: str):
    assert client.get(f"{samples}/{name}").status_code == 404


def test_a_set_without_a_version_has_no_samples(client: FlaskClient):
    dataset_id = upload(client).json["id"]  # type: ignore[index]
    for path in ("samples", "samples/0.png"):
        response = client.get(f"{DATASETS}/{dataset_id}/{path}")
        assert response.status_code == 409
        assert response.json["errors"] == {"status": "queued"}
    assert client.get(f"{DATASETS}/ds-000000000000/samples").status_code == 404


def test_lost_files_are_the_storages_fault(client: FlaskClient, samples: str, storage: Storage):
    assert client.get(samples).status_code == 200
    folder = storage.dataset(samples.split("/")[4]).version(prepared.HASH)
    (folder / "images.bin").unlink()
    response = client.get(f"{samples}/0.png")
    assert (response.status_code, response.json["code"]) == (503, "storage_unavailable")

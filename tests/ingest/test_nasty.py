"""Nasty archives and folders give a report: a summary or problems, never an exception or a stray file.

`Bench.run` checks the latter for each upload.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.ingest.made import Bench, codes, encoded, named, photo

ZIPS = {
    "bomb_200MB_zeros": {"archive_bomb"},
    "dup_basenames": set(),
    "empty": {"archive_empty"},
    "images_only": {"no_pairs"},
    "macosx_finder": set(),
    "not_a_zip": {"archive_damaged"},
    "truncated": {"archive_damaged"},
    "windows_backslashes": set(),
    "zip_slip": {"archive_traversal"},
}

# Each folder of `made`, sent with a sound second pair: the codes of errors and of warnings.
FOLDERS: dict[str, tuple[set[str], set[str]]] = {
    "exif6_mask_in_display_orientation": (set(), set()),
    "exif6_mask_in_stored_orientation": (set(), set()),
    "mask_16bit": ({"mask_values_range"}, set()),
    "mask_all_background": (set(), set()),
    "mask_antialiased": (set(), {"mask_soft_edges"}),
    "mask_as_jpeg": (set(), {"mask_jpeg"}),
    "mask_half_size": ({"mask_size"}, set()),
    "mask_rgb_rgba": (set(), set()),
    "names": (set(), {"image_without_mask"}),
}


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder by relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sound_pair(name: str) -> dict[str, bytes]:
    labels = np.zeros((8, 8), np.uint8)
    labels[4:] = 255
    return {
        f"images/{name}.png": encoded(photo(len(name) + ord(name[0]), 8, 8)),
        f"masks/{name}.png": encoded(labels),
    }


@pytest.mark.parametrize("name", ZIPS)
def test_zips(bench: Bench, shared_data: Path, name: str) -> None:
    result = bench.run(shared_data / "nasty" / "made" / "zips" / f"{name}.zip")
    assert set(codes(result)) == ZIPS[name]


def test_no_zip_is_left_out(shared_data: Path) -> None:
    folder = shared_data / "nasty" / "made"
    assert {path.stem for path in (folder / "zips").iterdir()} == set(ZIPS)
    assert {path.name for path in folder.iterdir()} == {*FOLDERS, "coco", "zips"}


@pytest.mark.parametrize("name", FOLDERS)
def test_folders(bench: Bench, shared_data: Path, name: str) -> None:
    files = contents(shared_data / "nasty" / "made" / name)
    result = bench.run({**files, **sound_pair("one"), **sound_pair("two")})
    errors, warnings = FOLDERS[name]
    assert (set(codes(result)), set(codes(result, "warning"))) == (errors, warnings)


def test_a_mask_turns_with_its_image_whichever_way_it_was_drawn(bench: Bench, shared_data: Path) -> None:
    masks = []
    for drawn in ("display", "stored"):
        files = contents(shared_data / "nasty" / "made" / f"exif6_mask_in_{drawn}_orientation")
        bench.run({**files, **sound_pair("one")})
        image, values = bench.arrays()["b"]
        assert image.shape == (297, 300, 3)
        masks.append(values)
    assert np.array_equal(*masks)


def test_names_in_every_script_and_case_are_paired(bench: Bench, shared_data: Path) -> None:
    bench.run(contents(shared_data / "nasty" / "made" / "names"))
    assert set(bench.arrays()) == {"a#b%20c&d", "été 1 (copie)", "Снимок экрана 3", "UPPER", "画像_02"}


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about what is broken in them
def test_real_pictures_as_images_and_as_masks(bench: Bench, shared_data: Path) -> None:
    """Every real file is sent alone with a sound partner, as image and as mask."""
    files = [path for path in sorted((shared_data / "nasty" / "real").rglob("*")) if path.is_file()]
    partner = encoded(Image.fromarray(np.eye(128, dtype=np.uint8)))
    ready = 0
    for path in files:
        data = path.read_bytes()
        names = (f"images/x{path.suffix}", "masks/x.png"), ("masks/x.png", f"images/x{path.suffix}")
        for role, other in names:
            pair = {role: data, other: partner}
            ready += bench.run({**pair, **sound_pair("one")}).summary is not None
    assert 0 < ready < len(files)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about what is broken in them
def test_broken_real_pictures_are_named(bench: Bench, shared_data: Path) -> None:
    files = contents(shared_data / "nasty" / "real" / "broken")
    upload = {f"images/{name}": data for name, data in files.items()}
    upload |= {f"masks/{Path(name).stem}.png": encoded(np.eye(8, dtype=np.uint8)) for name in files}
    result = bench.run(upload, mask_size="resample")
    refused = {file: code for code, file in named(result.problems) if code.startswith("image_")}
    assert refused == {
        "images/broken.png": "image_unknown",
        "images/broken_data_stream.png": "image_broken",
        "images/decompression_bomb.gif": "image_too_large",
        "images/truncated_end_chunk.png": "image_broken",
        "images/truncated_image.png": "image_broken",
        "images/truncated_jpeg.jpg": "image_broken",
        "images/zero_width.gif": "image_unknown",
    }

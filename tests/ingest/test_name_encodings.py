"""File names in encodings that archives do not mark."""

import json
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest

from tests.ingest.made import Bench, codes, encoded, mask, photo
from tests.ingest.test_nested_archives import zipped
from trainyard.catalog.names import NAME_ENCODINGS
from workers.ingest.upload.name_encodings import guess

NAMES: dict[str, list[str]] = {
    "gbk": ["图像/猫_01", "图像/病人张三", "图像/新建文件夹 2", "图像/标签", "图像/稻田"],
    "big5": ["圖像/貓_01", "圖像/資料集", "圖像/訓練", "圖像/標籤"],
    "cp932": ["画像/猫_01", "画像/表", "画像/ソース", "画像/新しいマスク", "画像/能力"],
    "euc_jp": ["画像/猫_01", "画像/データ", "画像/マスク"],
    "cp949": ["사진/고양이_01", "사진/환자", "사진/새 폴더", "사진/벼"],
    "cp1251": ["Снимки/кошка_01", "Снимки/Новая папка", "Снимки/щука", "Снимки/СКАН"],
    "cp866": ["Снимки/кошка_01", "Снимки/Новая папка", "Снимки/щука", "Снимки/СКАН"],
    "cp437": ["Büro/Größe_01", "Büro/été", "Büro/niño", "Büro/naïve"],
    "cp1252": ["Büro/Größe_01", "Büro/été", "Büro/São João", "Büro/Øst"],
    "cp850": ["Büro/São João", "Büro/coração", "Büro/Øst"],
    "cp1250": ["zdjęcia/łąka", "zdjęcia/źródło", "zdjęcia/żółw", "zdjęcia/ścieżka"],
    "cp852": ["zdjęcia/łąka", "zdjęcia/źródło", "zdjęcia/żółw", "zdjęcia/ścieżka"],
}
ALONE = [
    ("图像", "gbk"),
    ("医学影像", "gbk"),
    ("画像", "cp932"),
    ("マスク", "cp932"),
    ("사진", "cp949"),
    ("маска", "cp1251"),
    ("маска", "cp866"),
    ("é", "cp437"),
    ("é", "cp1252"),
    ("Übung", "cp1252"),
    ("café", "cp437"),
    ("Größe1", "cp437"),
    ("Größe1", "cp1252"),
]


def pairs(names: list[str]) -> dict[str, bytes]:
    """Images and masks of these names, whose top folder is not of any role."""
    files = {}
    for index, name in enumerate(names):
        folder, _, stem = name.rpartition("/")
        files[f"{folder}/images/{stem}.png"] = encoded(photo(index))
        files[f"{folder}/masks/{stem}.png"] = encoded(mask(0, 1))
    return files


def unmarked(files: Mapping[str, bytes], encoding: str, extras: Mapping[str, bytes] = {}) -> bytes:
    """A zip whose names are of that encoding and not marked; `extras` are extra fields by name."""
    placeholders = {name: f"#{index:04}" for index, name in enumerate(files)}
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            raw = name.encode(encoding)
            info = zipfile.ZipInfo(placeholders[name].ljust(len(raw), "#"))
            info.extra = extras.get(name, b"")
            archive.writestr(info, data)
    data = buffer.getvalue()
    for name, placeholder in placeholders.items():
        raw = name.encode(encoding)
        data = data.replace(placeholder.ljust(len(raw), "#").encode(), raw)
    return data


def in_tar(files: Mapping[str, bytes], encoding: str) -> bytes:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT, encoding=encoding) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, BytesIO(data))
    return buffer.getvalue()


def in_folder(root: Path, files: Mapping[str, bytes], encoding: str) -> Path:
    for name, data in files.items():
        path = os.fsencode(root) + b"/" + name.encode(encoding)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(os.fsdecode(path)).write_bytes(data)
    return root


def stems(names: list[str]) -> set[str]:
    return {name.rpartition("/")[2] for name in names}


@pytest.mark.parametrize("kind", ["zip", "tar", "folder", "nested"])
@pytest.mark.parametrize("encoding", NAMES)
def test_names_are_decoded_by_what_they_look_like(bench: Bench, encoding: str, kind: str) -> None:
    files = pairs(NAMES[encoding])
    path = bench.root / "upload.zip"
    if kind == "folder":
        path = in_folder(bench.root / "set", files, encoding)
    elif kind == "tar":
        path.write_bytes(in_tar(files, encoding))
    else:
        data = unmarked(files, encoding)
        path.write_bytes(data if kind == "zip" else zipped({"part.zip": data}))
    result = bench.run(path)
    assert codes(result) == []
    assert set(bench.arrays()) == stems(NAMES[encoding])
    told = [problem for problem in result.problems if problem.code == "names_encoding_guessed"]
    assert len(told) == 1
    assert told[0].file is not None
    assert any(folder in told[0].file for folder in {name.split("/")[0] for name in NAMES[encoding]})
    assert "names_encoding" in told[0].remedy


@pytest.mark.parametrize(("name", "encoding"), ALONE)
def test_one_short_name_is_enough(name: str, encoding: str) -> None:
    raw = f"images/{name}.png".encode(encoding)
    assert raw.decode(guess([raw])) == f"images/{name}.png"


def coco(names: list[str], escaped: bool) -> bytes:
    """A COCO file about images of these names."""
    region = {"category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 4, 0, 4]], "bbox": [0, 0, 4, 4], "area": 16}
    images = [{"id": i, "file_name": name, "width": 8, "height": 6} for i, name in enumerate(names)]
    annotations = [{"id": i, "image_id": i, "iscrowd": 0, **region} for i in range(len(names))]
    about = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "thing"}]}
    return json.dumps(about, ensure_ascii=escaped).encode()


CITED = [
    ("gbk", "葡萄"),
    ("cp932", "池"),
    ("cp949", "지붕"),
    ("big5", "番茄"),
    ("cp1250", "łąka"),
    ("cp1251", "Й"),
]
"""Words that, alone, look like those of another encoding."""


@pytest.mark.parametrize("kind", ["zip", "tar", "folder", "beside"])
@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize(("encoding", "word"), CITED)
def test_names_that_annotations_cite_match(
    bench: Bench, encoding: str, word: str, kind: str, escaped: bool
) -> None:
    names = [f"{word}_{index}.png" for index in range(3)]
    files = {f"data/{name}": encoded(photo(index)) for index, name in enumerate(names)}
    path, annotation = bench.root / "upload.zip", None
    if kind == "beside":
        annotation = (bench.root / "beside", "a.json")
        annotation[0].write_bytes(coco(names, escaped))
    else:
        files["annotations.json"] = coco(names, escaped)
    if kind == "folder":
        path = in_folder(bench.root / "set", files, encoding)
    else:
        path.write_bytes((in_tar if kind == "tar" else unmarked)(files, encoding))
    result = bench.run(path, annotation=annotation)
    assert [problem.code for problem in result.problems] == ["names_encoding_guessed"]
    assert {name.rpartition("/")[2] for name in bench.arrays()} == {name[:-4] for name in names}


@pytest.mark.parametrize("encoding", ["koi8_r", "cp1253", "cp1255", "cp1256", "cp874", "cp1251"])
def test_the_encoding_that_the_client_names_is_obeyed(bench: Bench, encoding: str) -> None:
    word = {"koi8_r": "маска", "cp1253": "εικόνα", "cp1255": "תמונה", "cp1256": "صورة", "cp874": "ภาพ"}
    names = [f"x/{word.get(encoding, 'ЫЩ')}", "x/plain"]
    path = bench.root / "upload.zip"
    path.write_bytes(unmarked(pairs(names), encoding))
    result = bench.run(path, names_encoding=encoding)
    assert result.problems == ()
    assert set(bench.arrays()) == stems(names)


def test_an_encoding_that_does_not_fit_is_an_error(bench: Bench) -> None:
    path = bench.root / "upload.zip"
    path.write_bytes(unmarked(pairs(["x/é"]), "cp1252"))
    result = bench.run(path, names_encoding="utf_8")
    (problem,) = result.problems
    assert problem.code == "names_encoding"
    assert "utf_8" in problem.message


def test_marked_names_are_not_touched_by_the_option(bench: Bench) -> None:
    assert bench.run(pairs(["x/画像", "x/été"]), names_encoding="cp1251").problems == ()
    assert set(bench.arrays()) == {"画像", "été"}


@pytest.mark.parametrize("kind", ["zip", "tar", "folder"])
def test_utf8_without_a_mark_is_no_guess(bench: Bench, kind: str) -> None:
    names = ["x/画像", "x/маска", "x/été"]
    path = bench.root / "upload.zip"
    if kind == "folder":
        path = in_folder(bench.root / "set", pairs(names), "utf-8")
    else:
        path.write_bytes((unmarked if kind == "zip" else in_tar)(pairs(names), "utf-8"))
    assert bench.run(path).problems == ()
    assert set(bench.arrays()) == stems(names)


def test_a_few_names_of_another_encoding_among_utf8(bench: Bench) -> None:
    names = [f"x/画像{index}" for index in range(8)]
    folder = in_folder(bench.root / "set", pairs(names), "utf-8")
    in_folder(folder, pairs(["x/маска"]), "cp1251")
    bench.run(folder)
    assert set(bench.arrays()) == stems([*names, "маска"])


def test_archives_within_are_judged_each_for_itself(bench: Bench) -> None:
    inner = {f"{encoding}.zip": unmarked(pairs(NAMES[encoding]), encoding) for encoding in ("gbk", "cp1251")}
    result = bench.run(inner)
    [problem] = [one for one in result.problems if one.code == "names_encoding_guessed"]
    told = problem.examples
    assert [any(encoding in text for text in told) for encoding in ("gbk", "cp1251")] == [True, True]
    assert {name.rpartition("/")[2] for name in bench.arrays()} == stems([*NAMES["gbk"], *NAMES["cp1251"]])


@pytest.mark.parametrize("valid", [True, False])
def test_the_unicode_path_counts_if_its_check_sum_fits(bench: Bench, valid: bool) -> None:
    """As 7-Zip and Info-ZIP write it beside a name of the system's encoding."""
    files = pairs(["x/猫"])
    extras = {}
    for name in files:
        text = name.replace("猫", "犬").encode()
        crc = zlib.crc32(name.encode("gbk")) ^ (not valid)
        body = b"\x01" + struct.pack("<L", crc) + text
        extras[name] = b"\x99\x99\x02\x00ab" + struct.pack("<HH", 0x7075, len(body)) + body
    path = bench.root / "upload.zip"
    path.write_bytes(unmarked({**files, **pairs(["x/图像_1", "x/标签_2"])}, "gbk", extras))
    bench.run(path)
    assert set(bench.arrays()) == {"犬" if valid else "猫", "图像_1", "标签_2"}


def test_every_encoding_that_may_be_named_is_one_of_text() -> None:
    for encoding in NAME_ENCODINGS:
        assert b"images/0.png".decode(encoding) == "images/0.png"


@pytest.mark.parametrize("raw", ["é".encode("latin-1") + b"_", "ä".encode("cp437") + b"."])
def test_a_name_that_is_marked_as_what_it_is_not_is_named(bench: Bench, raw: bytes) -> None:
    path = bench.zip({"images/0é.png": encoded(photo()), "masks/0é.png": encoded(mask(0, 1))})
    path.write_bytes(path.read_bytes().replace("é".encode(), raw))
    [problem] = bench.run(path).problems
    assert (problem.severity, problem.code) == ("error", "names_encoding")
    assert "images/0" in problem.message

"""Lists of splits in encodings other than UTF-8."""

import json

import pytest

from tests.ingest.made import Bench, codes, encoded, mask, photo

COUNT = 6
HELD = 2
STEMS = {
    "utf-16": "größe",
    "utf-16-le": "img",
    "utf-16-be": "图像",
    "utf-32": "größe",
    "utf-8-sig": "größe",
    "latin-1": "größe",
    "cp850": "größe",
    "gbk": "图像",
    "shift_jis": "画像",
    "cp949": "사진",
    "cp1251": "снимок",
}


def named(stem: str) -> tuple[list[str], dict[str, bytes]]:
    names = [f"{stem}_{number}" for number in range(COUNT)]
    files = {f"images/{name}.png": encoded(photo(number)) for number, name in enumerate(names)}
    return names, files | {f"masks/{name}.png": encoded(mask(0, 1)) for name in names}


def as_lists(names: list[str]) -> dict[str, str]:
    return {"train.txt": "\n".join(names[HELD:]), "val.txt": "\n".join(names[:HELD])}


def as_pairs(names: list[str]) -> dict[str, str]:
    lines = [f"images/{name}.png masks/{name}.png" for name in names]
    return {"train_list.txt": "\r\n".join(lines[HELD:]), "val_list.txt": "\r\n".join(lines[:HELD])}


def as_table(names: list[str]) -> dict[str, str]:
    rows = [f"{name}.png;{'train' if number >= HELD else 'val'}" for number, name in enumerate(names)]
    return {"table.csv": "\n".join(["file;split", *rows])}


def as_json(names: list[str]) -> dict[str, str]:
    return {"split.json": json.dumps({"train": names[HELD:], "val": names[:HELD]}, ensure_ascii=False)}


FORMS = {form.__name__: form for form in (as_lists, as_pairs, as_table, as_json)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", STEMS)
def test_lists_are_read_in_the_encoding_in_which_they_name_images(
    bench: Bench, encoding: str, form: str
) -> None:
    names, files = named(STEMS[encoding])
    files |= {path: text.encode(encoding) for path, text in FORMS[form](names).items()}
    result = bench.run(files)
    assert result.summary is not None, result.questions or result.problems
    assert {one.name for one in bench.prepared.samples if one.split == "val"} == set(names[:HELD])
    assert codes(result, "warning") == []


@pytest.mark.parametrize("data", [b"\0\1\2\3\xff\xfe\0\0", "größe_9\nandere".encode("latin-1")])
def test_a_list_that_names_nothing_in_any_encoding_is_asked_about(bench: Bench, data: bytes) -> None:
    _, files = named("größe")
    [question] = bench.run(files | {"test.txt": data}).questions
    assert question.code == "split_lists_unused"

"""Folds of a cross-validation that the upload tells: in lists, tables, JSON, and names of folders."""

import json
from collections.abc import Callable

import pytest

from tests.ingest.made import Bench, codes, encoded, mask, photo

COUNT = 10
FOLDS = 5
NAMES = [f"case_{number:02d}" for number in range(COUNT)]


def images(path: Callable[[int], str] = lambda number: f"images/{NAMES[number]}.png") -> dict[str, bytes]:
    """Ten images at these paths, and their masks in folders beside."""
    files = {path(number): encoded(photo(number)) for number in range(COUNT)}
    return files | {name.replace("images/", "masks/"): encoded(mask(0, 1)) for name in files}


def of(fold: int) -> list[str]:
    return [name for number, name in enumerate(NAMES) if number % FOLDS == fold]


def without(fold: int) -> list[str]:
    return [name for number, name in enumerate(NAMES) if number % FOLDS != fold]


def lines(names: list[str]) -> bytes:
    return "\n".join(names).encode()


def table(head: str, first: int = 0, ending: str = ".png") -> bytes:
    rows = [f"{name}{ending},{number % FOLDS + first}" for number, name in enumerate(NAMES)]
    return "\n".join([f"image,{head}" if head else "", *rows]).strip().encode()


def per_fold(path: str, **splits: Callable[[int], list[str]]) -> dict[str, bytes]:
    return {
        path.format(split=split, fold=fold): lines(names(fold))
        for fold in range(FOLDS)
        for split, names in splits.items()
    }


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


BOTH = [{"train": without(fold), "val": of(fold)} for fold in range(FOLDS)]
ENTRIES = [{"image": f"images/{name}.png", "fold": number % FOLDS} for number, name in enumerate(NAMES)]
FORMS: dict[str, dict[str, bytes]] = {
    "nnU-Net": {"splits_final.json": as_json(BOTH)},
    "JSON by the names of folds": {"cv.json": as_json({f"fold_{k}": one for k, one in enumerate(BOTH)})},
    "JSON of what validates": {"5fold.json": as_json({str(k): of(k) for k in range(FOLDS)})},
    "JSON of images with folds": {"folds.json": as_json(ENTRIES)},
    "MONAI": {"datalist_folds.json": as_json({"training": ENTRIES})},
    "JSON by numbers": {"splits.json": as_json({str(k): of(k) for k in range(FOLDS)})},
    "JSON of numbers": {"split.json": as_json({name: k % FOLDS for k, name in enumerate(NAMES)})},
    "text": {f"sets/fold_{k}.txt": lines(of(k)) for k in range(FOLDS)},
    "text from 1 on": {f"Fold{k + 1}.txt": lines(of(k)) for k in range(FOLDS)},
    "text of what trains": {f"fold-{k}.lst": lines(without(k)) for k in range(FOLDS)},
    "numbers in a folder of folds": {f"folds/{k}.txt": lines(of(k)) for k in range(FOLDS)},
    "splits of each fold": per_fold("{split}_fold{fold}.txt", train=without, val=of),
    "splits of each fold, the fold first": per_fold("cv/fold_{fold}_{split}.csv", train=without, valid=of),
    "splits in folders of folds": per_fold("5-fold/Fold {fold}/{split}.txt", train=without, test=of),
    "splits in numbered folders": per_fold("kfold/{fold}/{split}.txt", train=without, val=of),
    "numbered splits": per_fold("lists/{split}_{fold}.txt", train=without, val=of),
    "splits in folders of numbers": per_fold("split{fold}/{split}.txt", train=without, test=of),
    "only what trains": per_fold("train_fold{fold}.txt", train=without),
    "a table": {"train.csv": table("fold")},
    "a table of another name": {"metadata.csv": table("kfold", first=1)},
    "a table of names": {"folds.csv": table("Fold_ID", ending="")},
    "a table with a column of splits": {"data.csv": table("split")},
    "a table without headings": {"partition.txt": table("").replace(b",", b" ")},
}


def folds(bench: Bench) -> dict[str, int | None]:
    return {sample.name: sample.fold for sample in bench.prepared.samples}


def splits(bench: Bench) -> dict[str, str]:
    return {sample.name: sample.split for sample in bench.prepared.samples}


@pytest.mark.parametrize("name", FORMS)
def test_folds_are_read(bench: Bench, name: str) -> None:
    summary = bench.run(images() | FORMS[name]).summary
    assert summary is not None
    assert (summary.images, summary.folds) == (COUNT, FOLDS)
    assert folds(bench) == {one: number % FOLDS for number, one in enumerate(NAMES)}
    assert {one for one, split in splits(bench).items() if split == "val"} == set(of(0))
    assert summary.reading is not None
    assert "5 folds" in summary.reading.splits
    assert any("the first validates" in guess for guess in summary.reading.guesses)
    assert bench.result is not None
    assert codes(bench.result, "warning") == []


def test_folders_of_folds(bench: Bench) -> None:
    files = images(lambda number: f"Fold {number % FOLDS + 1}/images/{NAMES[number]}.png")
    summary = bench.run(files).summary
    assert summary is not None
    assert summary.folds == FOLDS
    assert set(folds(bench).values()) == set(range(FOLDS))
    assert {one.rpartition("/")[2] for one, split in splits(bench).items() if split == "val"} == set(of(0))


def test_folders_of_folds_beside_a_list_of_what_is_held_out(bench: Bench) -> None:
    files = images(lambda number: f"fold_{number % FOLDS}/images/{NAMES[number]}.png")
    assert bench.run(files | {"test.txt": lines(NAMES[8:])}).summary is not None
    assert [split for _, split in sorted(splits(bench).items(), key=lambda one: one[0][-2:])] == [
        *("val" if number % FOLDS == 0 else "train" for number in range(8)),
        "test",
        "test",
    ]
    assert set(folds(bench).values()) == {*range(FOLDS), None}


def test_the_client_may_ask_for_others(bench: Bench) -> None:
    files = images() | FORMS["nnU-Net"]
    for options, count in (({"folds": 2}, 2), ({"splits_from": "draw"}, None)):
        summary = bench.run(files, **options).summary
        assert summary is not None
        assert (summary.folds, summary.reading and summary.reading.guesses) == (count, ())


def test_what_is_held_out_of_all_folds_is_of_test(bench: Bench) -> None:
    documents = [{"train": NAMES[2:6], "val": NAMES[:2]}, {"train": NAMES[:2], "val": NAMES[2:6]}]
    files = images() | {"splits.json": as_json([one | {"test": NAMES[6:]} for one in documents])}
    assert bench.run(files).summary is not None
    assert [split for _, split in sorted(splits(bench).items())] == ["val"] * 2 + ["train"] * 4 + ["test"] * 4
    assert [fold for _, fold in sorted(folds(bench).items())] == [0] * 2 + [1] * 4 + [None] * 4


def test_a_table_may_have_splits_and_folds(bench: Bench) -> None:
    rows = [
        f"{name}.png,{'test' if n > 7 else 'train'},{-1 if n > 7 else n % 4}" for n, name in enumerate(NAMES)
    ]
    assert bench.run(images() | {"a.csv": "\n".join(["file,split,fold", *rows]).encode()}).summary is not None
    assert [fold for _, fold in sorted(folds(bench).items())] == [0, 1, 2, 3, 0, 1, 2, 3, None, None]
    found = sorted(splits(bench).items())
    assert [split for _, split in found] == ["val", *["train"] * 3, "val", *["train"] * 3, "test", "test"]


def test_images_of_no_fold_are_left_out(bench: Bench) -> None:
    files = images() | {f"fold_{k}.txt": lines(of(k)[:1]) for k in range(FOLDS)}
    summary = bench.run(files).summary
    assert summary is not None
    assert summary.images == FOLDS
    assert bench.result is not None
    assert codes(bench.result, "warning") == ["image_unlisted"]


def test_copies_are_in_one_fold(bench: Bench) -> None:
    files = images() | FORMS["nnU-Net"]
    files["images/case_01.png"] = files["images/case_00.png"]
    assert bench.run(files).summary is not None
    assert folds(bench)["case_01"] == 0
    assert bench.result is not None
    assert codes(bench.result, "warning") == ["image_in_two_folds"]


def test_one_fold_of_several_is_a_split(bench: Bench) -> None:
    assert bench.run(images() | {"fold2/train.txt": lines(without(2)), "fold2/val.txt": lines(of(2))}).summary
    assert {one for one, split in splits(bench).items() if split == "val"} == set(of(2))
    assert set(folds(bench).values()) == {None}


UNCLEAR: dict[str, dict[str, bytes]] = {
    "they overlap": {f"fold_{k}.txt": lines(NAMES[k : k + 4]) for k in range(3)},
    "test images of its own": {
        "splits.json": as_json(
            [{"train": NAMES[k + 3 :], "val": NAMES[k : k + 1], "test": NAMES[k + 1 : k + 2]} for k in (0, 2)]
        )
    },
    "some never validate": per_fold(
        "{split}_fold{fold}.txt", train=lambda k: NAMES[FOLDS:], val=lambda k: NAMES[k : k + 1]
    ),
    "a part of what trains": per_fold("fold{fold}/{split}.txt", train=lambda k: without(k)[:4], val=of),
    "one of several": {"fold_3.txt": lines(of(3))},
    "other splits in each": {"fold0/train.txt": lines(without(0)), "fold1/val.txt": lines(of(1))},
    "names of other files": {"folds.json": as_json({"fold_0": ["x", "y"], "fold_1": ["z"]})},
    "no JSON": {"folds.json": b"[{"},
    "other keys": {"splits.json": as_json({"A": NAMES[:5], "B": NAMES[5:]})},
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_folds_that_are_none_of_a_cross_validation_are_asked_about(bench: Bench, name: str) -> None:
    [question] = bench.run(images() | UNCLEAR[name]).questions
    assert question.code == "split_lists_unused"
    assert bench.run(images() | UNCLEAR[name], splits_from="folders").summary is not None


def test_two_uneven_numbers_may_be_splits(bench: Bench) -> None:
    rows = [f"{name}.png,{int(number > 7)}" for number, name in enumerate(NAMES)]
    [question] = bench.run(images() | {"info.csv": "\n".join(["image,fold", *rows]).encode()}).questions
    assert question.code == "split_numbers"


def test_two_numbers_as_keys_may_be_splits(bench: Bench) -> None:
    files = images() | {"split.json": as_json({"0": NAMES[:7], "1": NAMES[7:]})}
    [question] = bench.run(files).questions
    assert question.code == "split_numbers"
    assert bench.run(files, splits_from="lower_trains").summary is not None
    assert {one for one, split in splits(bench).items() if split == "test"} == set(NAMES[7:])


def test_numbered_lists_of_parts_are_splits(bench: Bench) -> None:
    parts = {
        "train_1.txt": NAMES[:3],
        "val_1.txt": NAMES[3:5],
        "train_2.txt": NAMES[5:8],
        "val_2.txt": NAMES[8:],
    }
    assert bench.run(images() | {name: lines(some) for name, some in parts.items()}).summary is not None
    assert {one for one, split in splits(bench).items() if split == "val"} == {*NAMES[3:5], *NAMES[8:]}
    assert set(folds(bench).values()) == {None}


@pytest.mark.parametrize("name", ["scaffold_1.txt", "manifold2.txt", "folders.txt", "notes/fold.txt"])
def test_other_texts_tell_no_folds(bench: Bench, name: str) -> None:
    result = bench.run(images() | {name: b"about the set\nand how it was made"})
    assert result.summary is not None
    assert result.summary.folds is None
    assert codes(result, "warning") == []

"""Lists of splits that lie in the upload."""

import pytest

from tests.ingest.made import Bench, encoded, folders, mask, photo

FILES = folders([mask(0, 1)] * 4)


def splits(bench: Bench, **lists: str) -> dict[str, str]:
    result = bench.run({**FILES, **{f"splits/{name}.txt": text.encode() for name, text in lists.items()}})
    assert result.summary is not None, result.problems
    return {sample.name: sample.split for sample in bench.prepared.samples}


@pytest.mark.parametrize("line", ["{}", "{}.png", "images/{}.png", "images/{}.png masks/{}.png", "{} 1 2 3"])
def test_names_and_paths_are_listed(bench: Bench, line: str) -> None:
    train = "\n".join(line.format(number, number) for number in (0, 3)) + "\n\n"
    assert splits(bench, train=train, val_id=line.format(1, 1), Test_List=line.format(2, 2)) == {
        "0": "train",
        "1": "val",
        "2": "test",
        "3": "train",
    }
    assert bench.result is not None
    assert bench.result.problems == ()


def test_images_in_no_list_are_left_out(bench: Bench) -> None:
    assert splits(bench, train="0\n1", val="3", trainval="0\n1\n3") == {
        "0": "train",
        "1": "train",
        "3": "val",
    }
    assert bench.result is not None
    [problem] = bench.result.problems
    assert (problem.severity, problem.code, problem.file) == ("warning", "image_unlisted", "images/2.png")


def test_lists_of_something_else_are_not_used(bench: Bench) -> None:
    found = splits(bench, train="0\nseen_9", val="1")
    assert len(found) == 4
    assert bench.result is not None
    [problem] = bench.result.problems
    assert (problem.severity, problem.code) == ("warning", "split_lists_unused")
    assert "seen_9" in problem.message


@pytest.mark.parametrize("lists", [{"train": "0"}, {"val": "0", "test": "1"}, {"train": "0", "val": " \n"}])
def test_lists_that_part_nothing_are_not_used(bench: Bench, lists: dict[str, str]) -> None:
    assert len(splits(bench, **lists)) == 4


def test_folders_go_before_lists(bench: Bench) -> None:
    made = {"train.txt": b"1", "val.txt": b"0"}
    for number, split in enumerate(("train", "val")):
        made[f"{split}/images/{number}.png"] = encoded(photo(number))
        made[f"{split}/masks/{number}.png"] = encoded(mask(0, 1))
    bench.run(made)
    assert {one.name: one.split for one in bench.prepared.samples} == {"train/0": "train", "val/1": "val"}

"""Lists of images whose names may tell a split or not: by two letters, or within a word."""

import pytest

from tests.ingest.made import Bench, codes, folders, mask

FILES = folders([mask(0, 1)] * 6)
TRAIN, HELD_OUT = "0\n1\n2\n3\n", "images/4.png\nimages/5.png\n"


def run(bench: Bench, lists: dict[str, str], **options: object) -> dict[str, str]:
    """The split of each sample that is not of train or drawn for val."""
    result = bench.run(FILES | {name: text.encode() for name, text in lists.items()}, **options)
    assert result.summary is not None, (result.problems, result.questions)
    return {one.name: one.split for one in bench.prepared.samples if one.name in "45"}


@pytest.mark.parametrize(
    ("train", "held_out", "split"),
    [
        ("pets_tr.txt", "pets_te.txt", "test"),
        ("lists/tr_pets.txt", "lists/ts_pets.txt", "test"),
        ("pets_trn.lst", "pets_tst.lst", "test"),
        ("petsTr.csv", "petsVa.csv", "val"),
        ("PETS_TR.TXT", "PETS_VL.TXT", "val"),
        ("trainpets.txt", "testpets.txt", "test"),
        ("petstrain.json", "petsval.json", "val"),
        ("pets_train.txt", "pets_te.txt", "test"),
        ("tr.txt", "vl.txt", "val"),
        ("development.txt", "pets_holdout.txt", "test"),
    ],
)
def test_lists_that_are_called_alike_tell_splits(bench: Bench, train: str, held_out: str, split: str) -> None:
    texts = {train: TRAIN, held_out: HELD_OUT}
    for name, text in texts.items():
        if name.endswith(".json"):
            texts[name] = "[" + ", ".join(f'"{line}"' for line in text.split()) + "]"
    assert run(bench, texts) == {"4": split, "5": split}


@pytest.mark.parametrize(
    "name", ["pets_te.txt", "meta/pets-ts.lst", "pets_tst.csv", "contest.txt", "pets_va.txt"]
)
def test_a_list_of_which_it_is_open_is_asked_about(bench: Bench, name: str) -> None:
    asked = bench.run(FILES | {name: HELD_OUT.encode()})
    [question] = asked.questions
    assert question.code == "split_unsure"
    assert name in question.text
    assert [choice.key for choice in question.choices] == ["lists", "as_told"]
    counted, as_told = (choice.options for choice in question.choices)
    split = "val" if "va" in name else "test"
    assert run(bench, {name: HELD_OUT}, **counted) == {"4": split, "5": split}
    assert run(bench, {name: HELD_OUT}, on_question="assume") == {"4": split, "5": split}
    run(bench, {name: HELD_OUT}, **as_told)
    assert {one.split for one in bench.prepared.samples} == {"train", "val"}


@pytest.mark.parametrize(
    "lists",
    [
        {"latest.txt": "".join(f"{n}\n" for n in range(6))},
        {"contest.txt": "the rules of this contest\nare these\n"},
        {"frames_ts.txt": "10.5\n11.5\n12.5\n"},
    ],
)
def test_what_names_all_images_or_none_is_no_split(bench: Bench, lists: dict[str, str]) -> None:
    run(bench, lists)
    assert bench.result is not None
    assert codes(bench.result, "warning") == []
    assert {one.split for one in bench.prepared.samples} == {"train", "val"}


def test_a_column_of_splits_goes_before_such_a_name(bench: Bench) -> None:
    rows = "image,split\n" + "".join(f"{n}.png,{'train' if n < 4 else 'val'}\n" for n in range(6))
    assert run(bench, {"latest.csv": rows}) == {"4": "val", "5": "val"}


def test_sure_lists_settle_what_such_a_list_names(bench: Bench) -> None:
    lists = {"train.txt": TRAIN, "test.txt": HELD_OUT, "pets_te.txt": "0\n4\n"}
    assert run(bench, lists) == {"4": "test", "5": "test"}


@pytest.mark.parametrize("head", ["split", "Partition", "data_split"])
def test_words_of_a_column_of_splits_that_nobody_knows_are_asked_about(bench: Bench, head: str) -> None:
    rows = f"image_id,{head}\n" + "".join(f"{n},{'T' if n < 4 else 'V'}\n" for n in range(6))
    asked = bench.run(FILES | {"meta.csv": rows.encode()})
    [question] = asked.questions
    assert question.code == "split_lists_unused"
    assert "has the words T, V" in question.text
    run(bench, {"meta.csv": rows}, **question.choices[0].options)


@pytest.mark.parametrize("head", ["phase", "set", "site"])
def test_other_columns_tell_no_splits(bench: Bench, head: str) -> None:
    rows = f"image_id,{head}\n" + "".join(f"{n},{'arterial' if n < 4 else 'venous'}\n" for n in range(6))
    run(bench, {"meta.csv": rows})

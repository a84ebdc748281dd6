"""Lists of splits and of pairs that lie in the upload."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.formats.family import opened
from tests.ingest.made import Bench, codes, encoded, folders, mask, photo
from workers.ingest.problems import ProblemLog
from workers.ingest.splits.lists.listed_pairs import listed_pairs

FILES = folders([mask(0, 1)] * 4)
APART = {"0": "train", "1": "val", "2": "test", "3": "train"}


def numbered(count: int, image: str = "images/{}.png", truth: str = "masks/{}.png") -> dict[str, bytes]:
    """Images and masks at these paths, of the numbers from 0."""
    files = {}
    for number in range(count):
        files[image.format(number)] = encoded(photo(number))
        files[truth.format(number)] = encoded(mask(0, 1))
    return files


def run(bench: Bench, files: Mapping[str, bytes | str], **options: Any) -> dict[str, str]:
    """The split of each sample, by its name."""
    result = bench.run(
        {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}, **options
    )
    assert result.summary is not None, result.problems
    return {sample.name: sample.split for sample in bench.prepared.samples}


def splits(bench: Bench, **lists: str) -> dict[str, str]:
    return run(bench, FILES | {f"splits/{name}.txt": text.encode() for name, text in lists.items()})


def warnings(bench: Bench) -> list[str]:
    assert bench.result is not None
    assert codes(bench.result) == []
    return codes(bench.result, "warning")


LINES = [
    "{0}",
    "{0}.png",
    "images/{0}.png",
    "./images/{0}.png",
    "/images/{0}.png",
    "masks/{0}.png",
    r"images\{0}.png",
    r"C:\Users\me\My Data\images\{0}.png",
    "/home/me/set/images/{0}.png /home/me/set/masks/{0}.png",
    "images/{0}.png masks/{0}.png",
    "images/{0}.png\tmasks/{0}.png",
    "images/{0}.png,masks/{0}.png",
    "images/{0}.png; masks/{0}.png",
    '"images/{0}.png","masks/{0}.png"',
    "{0} 1 2 3",
    "{0}.png 1 2 3",
    "IMAGES/{0}.PNG",
    "images/{0}.jpg",
]


@pytest.mark.parametrize("line", LINES)
def test_names_and_paths_are_listed(bench: Bench, line: str) -> None:
    train = "\r\n".join(line.format(number) for number in (0, 3)) + "\n\n"
    assert splits(bench, train=train, val_id=line.format(1), Test_List=line.format(2)) == APART
    assert warnings(bench) == []


@pytest.mark.parametrize("line", LINES[:-2])
@pytest.mark.parametrize("top", ["", "some set/"])
def test_names_with_spaces_and_points(bench: Bench, line: str, top: str) -> None:
    files = {
        f"{top}{folder}/no. {number} of b.png": data
        for number in range(4)
        for folder, data in (("images", encoded(photo(number))), ("masks", encoded(mask(0, 1))))
    }
    lists = {
        f"{top}{split}.txt": "\n".join(line.format(f"no. {n} of b") for n in numbers)
        for split, numbers in (("train", (0, 1)), ("val", (2,)), ("test", (3,)))
    }
    assert set(run(bench, files | lists).values()) == {"train", "val", "test"}
    assert warnings(bench) == []


TABLES = {
    "split.csv": "name,split\n0,train\n1,val\n2,test\n3,train\n",
    "meta/metadata.csv": "image_id,split,sat_image_path,mask_path\n"
    + "".join(f"9{n},{s},images/{n}.png,masks/{n}.png\n" for n, s in APART.items()),
    "partition.tsv": "phase\tfile\ntraining\t0.png\nvalid\t1.png\nTEST\t2.png\nTraining\t3.png\n",
    "splits.json": json.dumps({"train": ["0", "3"], "val": ["1"], "test": ["2"], "seed": 3}),
    "dataset.json": json.dumps(
        {
            "name": "mine",
            "training": [{"image": f"./images/{n}.png", "label": f"./masks/{n}.png"} for n in (0, 3)],
            "validation": [{"image": "./images/1.png", "label": "./masks/1.png"}],
            "test": ["./images/2.png"],
        }
    ),
    "data_split.json": json.dumps([{"file_name": f"{n}.png", "set": s} for n, s in APART.items()]),
    "train_test_split.json": json.dumps({f"{n}.png": s for n, s in APART.items()}),
    "split.txt": "".join(f"{n}.png,{s}\n" for n, s in APART.items()),
}


@pytest.mark.parametrize("name", TABLES)
def test_one_table_of_all(bench: Bench, name: str) -> None:
    assert run(bench, {**FILES, f"top/{name}": TABLES[name]}) == APART
    assert warnings(bench) == []


@pytest.mark.parametrize("pattern", ["{}", "lists/{}", "{}.json"])
def test_lists_without_an_ending_and_of_numbers(bench: Bench, pattern: str) -> None:
    texts = {"train": (0, 3), "val": (1,), "test": (2,)}
    lists: dict[str, bytes | str] = {
        pattern.format(split): json.dumps(numbers) if "json" in pattern else "\n".join(map(str, numbers))
        for split, numbers in texts.items()
    }
    assert run(bench, FILES | lists) == APART
    assert warnings(bench) == []


@pytest.mark.parametrize(
    "pattern", ["{}.csv", "{}_list.csv", "{}.json", "ImageSets/Segmentation/{}.lst", "{}Set.txt"]
)
def test_one_list_each_in_other_forms(bench: Bench, pattern: str) -> None:
    lists = {}
    for split in ("train", "val", "test"):
        own = [number for number, of in APART.items() if of == split]
        rows = "".join(f"7,images/{number}.png,masks/{number}.png\n" for number in own)
        text = json.dumps([f"images/{number}.png" for number in own]) if "json" in pattern else rows
        lists[pattern.format(split)] = "index,image,mask\n" + text if "csv" in pattern else text
    assert run(bench, FILES | lists) == APART
    assert warnings(bench) == []


def test_lists_are_for_the_folders_they_lie_in(bench: Bench) -> None:
    files: dict[str, bytes | str] = {}
    for year in ("2007", "2012"):
        for number in range(3):
            files[f"up/VOC{year}/JPEGImages/{number}.jpg"] = encoded(photo(number + int(year)), "JPEG")
            files[f"up/VOC{year}/SegmentationClass/{number}.png"] = encoded(mask(0, 1))
        files[f"up/VOC{year}/ImageSets/Main/train.txt"] = "0\n1\n2"
        files[f"up/VOC{year}/ImageSets/Segmentation/trainval.txt"] = "0\n1\n2"
    files["up/VOC2007/ImageSets/Segmentation/train.txt"] = "0\n1\n"
    files["up/VOC2007/ImageSets/Segmentation/val.txt"] = "2\n"
    files["up/VOC2012/ImageSets/Segmentation/train.txt"] = "2\n"
    files["up/VOC2012/ImageSets/Segmentation/val.txt"] = "0\n1\n"
    found = {name.replace("/JPEGImages", ""): split for name, split in run(bench, files).items()}
    assert found == {
        "VOC2007/0": "train",
        "VOC2007/1": "train",
        "VOC2007/2": "val",
        "VOC2012/0": "val",
        "VOC2012/1": "val",
        "VOC2012/2": "train",
    }


def test_images_in_no_list_are_left_out(bench: Bench) -> None:
    assert splits(bench, train="0\n1", val="3", trainval="0\n1\n3") == {
        "0": "train",
        "1": "train",
        "3": "val",
    }
    assert bench.result is not None
    [problem] = bench.result.problems
    assert (problem.severity, problem.code, problem.file) == ("warning", "image_unlisted", "images/2.png")


def test_a_list_of_both_is_parted_by_the_others(bench: Bench) -> None:
    assert splits(bench, trainval="0\n1\n3", val="3", test="2") == {
        "0": "train",
        "1": "train",
        "2": "test",
        "3": "val",
    }
    assert warnings(bench) == []


UNUSABLE: dict[str, tuple[dict[str, bytes | str], dict[str, str] | None]] = {
    "most names are of something else": (
        {"train.txt": "seen_8\nseen_9\n0", "val.txt": "seen_7"},
        {"0": "train"},
    ),
    "a test list of other names": ({"test.txt": "seen_7\nseen_8"}, None),
    "a test list, mostly of other names": ({"sub/test_ids.txt": "seen_7\n2\nseen_8"}, {"2": "test"}),
    "a test list in another encoding": ({"test.txt": "größe 2".encode("latin-1")}, None),
    "a test list that is no JSON": ({"test.json": "[2, 3"}, None),
    "a JSON of other names": ({"splits.json": json.dumps({"train": ["x", "y"], "test": ["z"]})}, None),
    "a table of ids": ({"train_test_split.csv": "id,split\n901,train\n902,test\n903,train"}, None),
    "a table of ids with flags": ({"train_test_split.txt": "901 1\n902 0\n903 1"}, None),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_lists_that_cannot_be_used_are_asked_about(bench: Bench, name: str) -> None:
    lists, held = UNUSABLE[name]
    files = FILES | {path: text.encode() if isinstance(text, str) else text for path, text in lists.items()}
    [question] = bench.run(files).questions
    assert question.code == "split_lists_unused"
    assert all(path in question.text for path in lists)
    offered = {choice.key: choice.options for choice in question.choices}
    assert offered == {"folders": {"splits_from": "folders"}} | (
        {"lists": {"splits_from": "lists"}} if held else {}
    )
    drawn = run(bench, files, splits_from="folders")
    assert (len(drawn), set(drawn.values())) == (4, {"train", "val"})
    assert warnings(bench) == []
    if held:
        assert held.items() <= run(bench, files, splits_from="lists").items()


def test_unusable_lists_say_nothing_where_others_tell_what_trains(bench: Bench) -> None:
    assert set(splits(bench, train="0\n1", val="2", test="seen_7\nseen_8")) == set("012")
    assert sorted(warnings(bench)) == ["image_unlisted", "split_lists_unused"]


def test_an_entry_that_may_mean_several_images_holds_all_of_them_out(bench: Bench) -> None:
    files: dict[str, bytes | str] = dict(numbered(3, "a/images/{}.png", "a/masks/{}.png"))
    for number in range(3):
        files[f"b/images/{number}.png"] = encoded(photo(number + 10))
        files[f"b/masks/{number}.png"] = encoded(mask(0, 1))
    found = run(bench, files | {"test.txt": "2\n"}, splits_from="lists")
    assert {name for name, split in found.items() if split == "test"} == {"a/2", "b/2"}


def test_a_list_of_which_some_is_missing_is_used(bench: Bench) -> None:
    assert splits(bench, train="0\n1\n9", val="2", test="3")["1"] == "train"
    assert warnings(bench) == ["split_list_missing"]
    assert bench.result is not None
    assert "1 of the 3 images" in bench.result.problems[0].message


def test_lists_of_a_set_of_which_this_is_a_part(bench: Bench) -> None:
    others = "\n".join(f"other_{number}" for number in range(50))
    assert splits(bench, train=f"{others}\n0\n3", val=f"1\n{others}", test=f"{others}\n2") == APART
    assert warnings(bench) == ["split_list_missing"] * 3


def test_a_name_in_two_folders_is_said(bench: Bench) -> None:
    files = numbered(4, "a/images/{}.png", "a/masks/{}.png")
    for number in range(4):
        files[f"b/images/{number}.png"] = encoded(photo(number + 10))
        files[f"b/masks/{number}.png"] = encoded(mask(0, 1))
    lists = {"train.txt": b"0\n1", "val.txt": b"a/images/2.png\nb/images/2.png"}
    [question] = bench.run(files | lists).questions
    assert "2 of its 2 entries name several" in question.text
    found = run(bench, {**files, "a/train.txt": "0\n1", "b/val.txt": "2"})
    assert found == {"a/0": "train", "a/1": "train", "b/2": "val"}
    assert warnings(bench) == ["image_unlisted"]


@pytest.mark.parametrize(
    "lists", [{"train": "0\n1\n2\n3"}, {"val": "0\n1\n2\n3"}, {"train": " \n", "val": ""}]
)
def test_lists_that_part_nothing_are_not_used(bench: Bench, lists: dict[str, str]) -> None:
    found = splits(bench, **lists)
    assert len(found) == 4
    assert set(found.values()) == {"train", "val"}
    assert warnings(bench) == []


@pytest.mark.parametrize("held_out", [{"test": "0"}, {"val": "0"}, {"test": "0", "val": "1"}])
def test_what_is_listed_to_be_held_out_never_trains(bench: Bench, held_out: dict[str, str]) -> None:
    found = splits(bench, **held_out)
    for split, name in held_out.items():
        assert found[name] == split
    assert set(found) == set("0123")
    assert "split_missing" in warnings(bench)


def test_of_a_list_to_train_with_the_rest_is_left_out(bench: Bench) -> None:
    assert set(splits(bench, train="0\n1\n2")) == set("012")
    assert warnings(bench) == ["image_unlisted", "val_drawn"]


def test_an_image_in_two_lists_is_held_out(bench: Bench) -> None:
    assert splits(bench, train="0\n1\n2", val="1\n3", test="2")["1"] == "val"
    assert warnings(bench) == ["listed_twice"]


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("kvasir_train.txt", "kvasir_test.txt"),
        ("train_Kvasir.lst", "TEST_Kvasir.lst"),
        ("lists/mydata_training.csv", "lists/mydata_testing.csv"),
        ("loveda-train-v2.json", "loveda-test-v2.json"),
    ],
)
def test_lists_called_after_a_set_and_a_split(bench: Bench, train: str, test: str) -> None:
    for_json = train.endswith(".json")
    parts = (["0", "1", "3"], ["2"])
    written = [json.dumps(names).encode() if for_json else "\n".join(names).encode() for names in parts]
    found = run(bench, FILES | dict(zip((train, test), written, strict=True)))
    assert [name for name, split in found.items() if split == "test"] == ["2"]


@pytest.mark.parametrize("name", ["contest_rules.txt", "test_report.txt", "my_train_log.txt", "latest.txt"])
def test_texts_of_other_things_are_no_lists(bench: Bench, name: str) -> None:
    found = run(bench, FILES | {name: b"one of the words\nand another\n3 epochs"})
    assert sorted(found.values()) == ["train", "train", "train", "val"]
    assert warnings(bench) == []


RUNS = {
    "folders": ("run{}/train.txt", "run{}/val.txt", "run{}/*.txt"),
    "numbers": ("train_{}.txt", "dev_{}.txt", "*_{}.txt"),
    "words": ("splits/seed{}_TrainSet.lst", "splits/seed{}_ValSet.lst", "splits/seed{}_*.lst"),
    "tables": ("tables/{}/training.csv", "tables/{}/validation.csv", "tables/{}/*.csv"),
}


def by_chance(train: str, held_out: str, runs: Sequence[Sequence[int]]) -> dict[str, bytes]:
    """Lists of as many splits as there are `runs`, each of which trains on the images that it names."""
    files = {}
    for number, trained in enumerate(runs):
        files[train.format(number)] = "\n".join(map(str, trained)).encode()
        files[held_out.format(number)] = "\n".join(str(i) for i in range(4) if i not in trained).encode()
    return files


@pytest.mark.parametrize("names", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("runs", [[(0, 1), (1, 2)], [(0, 1, 2), (0, 1, 3), (0, 1, 3)]], ids=str)
def test_which_of_several_splits_by_chance_counts_is_asked(
    bench: Bench, names: tuple[str, str, str], runs: Sequence[Sequence[int]]
) -> None:
    train, held_out, pattern = names
    files = FILES | by_chance(train, held_out, runs)
    [question] = bench.run(files).questions
    assert question.code == "split_lists_contradict"
    patterns = [pattern.format(number) for number in range(len(runs))]
    assert [dict(choice.options) for choice in question.choices] == [
        *({"split_lists": one} for one in patterns),
        {"splits_from": "folders"},
    ]
    for choice, trained in zip(question.choices, runs, strict=False):
        found = run(bench, files, **choice.options)
        assert {int(name) for name, split in found.items() if split == "train"} == set(trained)
    assumed = bench.run(files, on_question="assume")
    assert codes(assumed, "warning")[0] == "split_lists_contradict"
    in_use = {int(sample.name) for sample in bench.prepared.samples if sample.split == "train"}
    assert in_use == set(runs[0])
    drawn = bench.run(files, **question.choices[-1].options)
    assert drawn.summary is not None


def test_lists_that_leave_none_to_train_are_asked_about(bench: Bench) -> None:
    lists = {"train.txt": b"0\n1\n2\n3", "val.txt": b"0\n1", "test.txt": b"2\n3"}
    [question] = bench.run(FILES | lists).questions
    assert question.code == "split_lists_contradict"
    assert [choice.key for choice in question.choices] == ["folders"]
    given = bench.run(FILES | lists, splits={"train": ["0", "1", "2"], "val": ["3"]})
    assert given.summary is not None
    assert given.problems == ()


def test_a_list_that_names_more_to_train_is_no_split_of_its_own(bench: Bench) -> None:
    lists = {"train.txt": b"0\n1", "val.txt": b"2\n3", "train_aug.txt": b"0\n1\n2"}
    assert run(bench, FILES | lists) == {"0": "train", "1": "train", "2": "val", "3": "val"}
    assert warnings(bench) == ["listed_twice"]


def test_lists_that_no_pattern_names_are_an_error_which_tells_those_that_are_there(bench: Bench) -> None:
    result = bench.run(FILES | {"train.txt": b"0\n1\n2", "val.txt": b"3"}, split_lists="run7/*")
    [problem] = result.problems
    assert problem.code == "pattern_unmatched"
    assert "train.txt, val.txt" in problem.message


def parted(of_images: Mapping[int, str]) -> dict[str, bytes | str]:
    files: dict[str, bytes | str] = {}
    for number, split in of_images.items():
        files[f"{split}/images/{number}.png"] = encoded(photo(number))
        files[f"{split}/masks/{number}.png"] = encoded(mask(0, 1))
    return files


def test_lists_part_what_folders_train(bench: Bench) -> None:
    files = parted({0: "train", 1: "train", 2: "train", 3: "test"})
    found = run(bench, files | {"train.txt": "0\n2", "val.txt": "1"})
    assert found == {"train/0": "train", "train/1": "val", "train/2": "train", "test/3": "test"}
    assert warnings(bench) == []


@pytest.mark.parametrize("of_two", ["val", "test"])
def test_what_folders_or_lists_hold_out_never_trains(bench: Bench, of_two: str) -> None:
    files = parted({0: "train", 1: "train", 2: of_two, 3: "val"})
    files |= {"train.txt": "0\n2", "test.txt": "1\n3"}
    found = run(bench, files, on_question="assume")
    assert found == {"train/0": "train", "train/1": "test", f"{of_two}/2": of_two, "val/3": "test"}
    assert "splits_contradict" in warnings(bench)
    listed = run(bench, files, splits_from="lists")
    assert {name for name, split in listed.items() if split == "test"} == {"train/1", "val/3"}
    assert run(bench, files, splits_from="folders") == {
        "train/0": "train",
        "train/1": "train",
        f"{of_two}/2": of_two,
        "val/3": "val",
    }
    assert set(run(bench, files, splits_from="draw").values()) == {"train", "val"}


def test_lists_that_contradict_folders_are_asked_about(bench: Bench) -> None:
    files = parted({0: "train", 1: "train", 2: "val", 3: "val"}) | {"train.txt": "0\n2", "val.txt": "1\n3"}
    result = bench.run({name: one if isinstance(one, bytes) else one.encode() for name, one in files.items()})
    [question] = result.questions
    assert question.code == "splits_contradict"
    assert [one.key for one in question.choices] == ["furthest", "lists", "folders", "draw"]
    assert "val/images/2.png is of val, listed for train" in question.text


def test_lists_and_folders_that_leave_nothing_to_train_are_an_error(bench: Bench) -> None:
    files = parted({0: "train", 1: "val"}) | {"train.txt": b"1", "val.txt": b"0"}
    made = {name: data for name, data in files.items() if isinstance(data, bytes)}
    result = bench.run(made, on_question="assume")
    assert codes(result) == ["split_without_train"]
    assert codes(result, "warning") == ["splits_contradict"]


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("partition.txt", ""),
        ("list_eval_partition.txt", ""),
        ("meta.csv", "image,split\n"),
        ("splits.csv", "image,fold\n"),
    ],
)
def test_three_numbers_are_splits(bench: Bench, name: str, head: str) -> None:
    between = "," if head else " "
    lines = [f"{number}.png{between}{number % 5 // 2}" for number in range(10)]
    told = run(bench, numbered(10) | {name: (head + "\n".join(lines)).encode()})
    splits = ("train", "train", "val", "val", "test")
    assert told == {str(number): splits[number % 5] for number in range(10)}


NUMBERS = [
    ("train_test_split.txt", "", " ", "01"),
    ("train_test_split.txt", "", ".", "01"),
    ("meta.csv", "image,split\n", ",", "01"),
    ("partition.tsv", "", "\t", "12"),
    ("split.csv", "file;set\n", ";", "02"),
    ("split.csv", "file,set\n", ",", "123"),
]


@pytest.mark.parametrize(("name", "head", "between", "numbers"), NUMBERS)
def test_it_is_asked_which_of_a_lists_numbers_trains(
    bench: Bench, name: str, head: str, between: str, numbers: str
) -> None:
    own = [numbers[0 if n < 2 else -1 if n < 8 else 1] for n in range(10)]
    name_of = "{} " if between == "." else "{}.png" + between  # by the name without ending, too
    rows = "\n".join(name_of.format(number) + of for number, of in enumerate(own))
    files = numbered(10) | {name: (head + rows).encode()}
    [question] = bench.run(files).questions
    assert question.code == "split_numbers"
    assert [one.key for one in question.choices] == ["higher_trains", "lower_trains", "folders"]
    names = {2: ("train", "test"), 3: ("train", "val", "test")}[len(numbers)]
    for key, ordered in (("lower_trains", names), ("higher_trains", names[::-1])):
        splits = dict(zip(numbers, ordered, strict=True))
        found = run(bench, files, splits_from=key)
        assert {found[str(n)] for n in range(10) if splits[own[n]] == "test"} == {"test"}
        assert "test" not in {found[str(n)] for n in range(10) if splits[own[n]] != "test"}
    assert set(run(bench, files, splits_from="folders").values()) == {"train", "val"}


@pytest.mark.parametrize("as_list", [False, True])
def test_numbers_in_json_are_asked_about_as_well(bench: Bench, as_list: bool) -> None:
    named = [{"file": f"{n}.png", "split": int(n < 7)} for n in range(10)]
    document = named if as_list else {f"{n}.png": n < 7 for n in range(10)}
    files = numbered(10) | {"split.json": json.dumps(document).encode()}
    [question] = bench.run(files).questions
    assert (question.code, question.choices[0].key) == ("split_numbers", "higher_trains")
    found = run(bench, files, splits_from="higher_trains")
    assert {name for name, split in found.items() if split == "test"} == {"7", "8", "9"}


@pytest.mark.parametrize(
    ("head", "flag", "test"),
    [
        ("is_train", "1/0", 0),
        ("isTraining", "True/False", 0),
        ("is_test", "1/0", 1),
        ("in test set", "yes/no", 1),
    ],
)
def test_flags_of_a_split_are_certain(bench: Bench, head: str, flag: str, test: int) -> None:
    yes, no = flag.split("/")
    rows = [f"{n}.png,{yes if (n > 6) == bool(test) else no}" for n in range(10)]
    found = run(bench, numbered(10) | {"meta.csv": f"image,{head}\n" + "\n".join(rows)})
    assert {name for name, split in found.items() if split == "test"} == {"7", "8", "9"}
    assert warnings(bench) == ["val_drawn"]


def test_a_flag_for_each_split(bench: Bench) -> None:
    rows = [f"{n}.png,{int(n < 6)},{int(n in (6, 7))},{int(n > 7)}" for n in range(10)]
    found = run(bench, numbered(10) | {"meta.csv": "image,train,val,test\n" + "\n".join(rows)})
    assert [found[str(n)] for n in range(10)] == ["train"] * 6 + ["val"] * 2 + ["test"] * 2


def test_lists_go_with_other_formats(bench: Bench) -> None:
    shape = {"label": "thing", "shape_type": "polygon", "points": [[1, 1], [5, 1], [5, 5]]}
    files: dict[str, bytes | str] = {"train.txt": "0\n2", "val.txt": "1.png"}
    for number in range(3):
        about = {"shapes": [shape], "imagePath": f"{number}.png", "imageWidth": 8, "imageHeight": 6}
        files[f"{number}.json"] = json.dumps({"version": "5.0.1", "flags": {}, "imageData": None} | about)
        files[f"{number}.png"] = encoded(photo(number))
    assert run(bench, files) == {"0": "train", "1": "val", "2": "train"}
    assert warnings(bench) == []


def test_a_label_that_is_called_like_a_list_is_none(bench: Bench) -> None:
    files = {
        f"images/{name}.png": encoded(photo(seed)) for seed, name in enumerate(("train_1", "test_2", "0"))
    }
    labels = {f"labels/{name}.txt": b"0 0 0 0.5 0 0.5 1" for name in ("train_1", "test_2", "0")}
    assert set(run(bench, files | labels)) == {"train_1", "test_2", "0"}
    assert warnings(bench) == ["class_names_missing"]


class TestPairs:
    def pairs(self, tmp_path: Path, files: Mapping[str, bytes]) -> tuple[dict[str, str] | None, list[str]]:
        log = ProblemLog()
        with opened(tmp_path, files) as source:
            return listed_pairs(source, source.members, log), [one.code for one in log.problems()]

    @pytest.mark.parametrize("between", [" ", "\t", ",", " , ", ";", "  "])
    @pytest.mark.parametrize("top", ["", "D:\\me\\", "./", "/data/sets/"])
    def test_lines_pair(self, tmp_path: Path, between: str, top: str) -> None:
        files = numbered(3, "s/shots/a {}.jpg", "s/truth/b_{}.png")
        lines = [f"{top}shots/a {n}.jpg{between}{top}truth/b_{(n + 1) % 3}.png" for n in range(3)]
        found = self.pairs(tmp_path, files | {"s/train.txt": "\n".join(lines).encode()})
        assert found == ({f"s/shots/a {n}.jpg": f"s/truth/b_{(n + 1) % 3}.png" for n in range(3)}, [])

    def test_columns_are_told_by_headings(self, tmp_path: Path) -> None:
        rows = "mask,image\n" + "".join(f"masks/{n}.png,images/{n}.png\n" for n in range(3))
        found = self.pairs(tmp_path, numbered(3) | {"pairs.csv": rows.encode()})
        assert found == ({f"images/{n}.png": f"masks/{n}.png" for n in range(3)}, [])

    def test_masks_may_come_first(self, tmp_path: Path) -> None:
        rows = "".join(f"masks/{n}.png images/{n}.png\n" for n in range(3))
        found = self.pairs(tmp_path, numbered(3) | {"val.txt": rows.encode()})
        assert found == ({f"images/{n}.png": f"masks/{n}.png" for n in range(3)}, [])

    @pytest.mark.parametrize(
        "rows",
        [
            "images/0.png masks/0.png\nimages/0.png masks/1.png",
            "images/0.png masks/0.png\nimages/1.png masks/0.png",
        ],
    )
    def test_pairs_that_contradict_are_not_used(self, tmp_path: Path, rows: str) -> None:
        found = self.pairs(tmp_path, numbered(2) | {"train.txt": rows.encode()})
        assert found == (None, ["listed_pairs_unused"])

    @pytest.mark.parametrize(
        "text", ["0\n1", "images/0.png\nimages/1.png", "0 1 2\n1 1 2", "x.png y.png", ""]
    )
    def test_lists_of_images_pair_nothing(self, tmp_path: Path, text: str) -> None:
        assert self.pairs(tmp_path, numbered(2) | {"train.txt": text.encode()}) == (None, [])


@pytest.mark.parametrize(
    ("image", "truth", "line"),
    [
        ("images/{}_img.png", "masks/{}_mask.png", "{}"),
        ("img/scan {} x.png", "gt/scan {} x.png", "{}.tif"),
        ("leftImg8bit/{}_left.png", "labels/{}_left.png", "leftImg8bit/{}"),
        ("p{}/images/a.png", "p{}/masks/a.png", "p{}"),
        ("p{}/images/a.png", "p{}/masks/a.png", "p{}/a.png"),
        ("p{}/images/a.png", "p{}/masks/a.png", "p{}/a"),
        ("images/p{}/a.png", "masks/p{}/a.png", "p{}"),
        ("site 1/images/p{}/a.png", "site 1/masks/p{}/a.png", "/home/me/images/p{}/a.png"),
    ],
)
def test_lists_of_what_images_are_called_for_short(bench: Bench, image: str, truth: str, line: str) -> None:
    lists = {"train.txt": "\n".join(line.format(n) for n in range(3)), "test.txt": line.format(3)}
    found = run(bench, numbered(4, image, truth) | {name: text.encode() for name, text in lists.items()})
    assert sum(split == "test" for split in found.values()) == 1
    assert next(split for name, split in found.items() if "3" in name) == "test"
    assert warnings(bench) == ["val_drawn"]


DOUBTFUL: dict[str, dict[str, int]] = {
    "both": {"kvasir_train": 3, "etis_test": 2},
    "one to hold out": {"road-main": 3, "track-test": 2},
    "what is called evaluation": {"first_train": 3, "second_eval": 2},
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_words_that_may_be_splits_are_asked_about(bench: Bench, name: str) -> None:
    counts = DOUBTFUL[name]
    files: dict[str, bytes] = {}
    for folder, count in counts.items():
        for _ in range(count):
            files[f"{folder}/images/{len(files) // 2}.png"] = encoded(photo(len(files)))
            files[f"{folder}/masks/{len(files) // 2}.png"] = encoded(mask(0, 1))
    [question] = bench.run(files).questions
    assert question.code == "split_unsure"
    words, as_told = question.choices
    found = run(bench, files, **words.options)
    held = {split for name, split in found.items() if "test" in name or "eval" in name}
    assert held <= {"test", "val"}
    assert "train" not in held
    assert all("test" in name or "eval" in name for name, split in found.items() if split == "test")
    assert bench.result is not None
    assert bench.result.summary is not None
    assert bench.result.summary.reading is not None
    assert "words in the names of folders" in bench.result.summary.reading.splits
    assert set(run(bench, files, **as_told.options).values()) == {"train", "val"}
    assert set(run(bench, files, on_question="assume").values()) & {"test", "val"}
    assert "split_unsure" in warnings(bench)


def test_lists_settle_words_that_may_be_splits(bench: Bench) -> None:
    files = numbered(3, "kvasir_train/images/{}.png", "kvasir_train/masks/{}.png")
    for number in (3, 4):
        files[f"etis_test/images/{number}.png"] = encoded(photo(number))
        files[f"etis_test/masks/{number}.png"] = encoded(mask(0, 1))
    found = run(bench, files | {"train.txt": b"0\n1\n2", "test.txt": b"3\n4"})
    assert list(found.values()).count("test") == 2
    assert warnings(bench) == ["val_drawn"]


@pytest.mark.parametrize(
    "name", ["dataset.yaml", "data/dataset.yml", "train.yaml", "splits.yaml", "folds.yaml"]
)
@pytest.mark.parametrize(
    "text",
    [
        "path: .\ntrain: images\nnames:\n  0: background\n  1: cat\n",
        "0: background\n1: cat\n",
        "made: 2024-05-01\n2024-05-02: {1: [2, 3], yes: no}\n1.5: null\n",
        "- {0: 1}\n- 2024-05-01\n- !!set {a, 1}\n",
    ],
)
def test_yaml_whose_keys_are_no_text_is_no_list(bench: Bench, name: str, text: str) -> None:
    result = bench.run({**FILES, name: text.encode()})
    assert result.summary is not None, (result.problems, result.questions)
    assert result.summary.images == 4


def test_yaml_may_number_splits(bench: Bench) -> None:
    split = "0: ['0', '3']\n1: ['1']\n2: ['2']\n"
    assert run(bench, {**FILES, "split.yaml": split}) == APART


@pytest.mark.parametrize(
    "name", ["split.xlsx", "data/splits.ods", "train_idx.npy", "test.npy", "val_ids.mat", "partition.pkl"]
)
def test_a_list_of_a_kind_that_is_not_read_is_asked_about(bench: Bench, name: str) -> None:
    result = bench.run({**FILES, name: b"PK"})
    [question] = result.questions
    assert question.code == "split_lists_unused"
    assert name in question.text
    [choice] = question.choices
    assert run(bench, {**FILES, name: b"PK"}, **choice.options)


@pytest.mark.parametrize("name", ["results.xlsx", "features.npy", "model.pt", "boxes.mat"])
def test_other_files_of_these_kinds_are_no_lists(bench: Bench, name: str) -> None:
    assert bench.run({**FILES, name: b"PK"}).questions == ()


def test_lists_that_are_not_read_do_not_matter_where_folders_tell(bench: Bench) -> None:
    files = {}
    for part in ("train", "val"):
        files |= numbered(2, f"{part}/images/{part}{{}}.png", f"{part}/masks/{part}{{}}.png")
    assert bench.run({**files, "split.xlsx": b"PK"}).questions == ()

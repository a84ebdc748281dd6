"""Tables that name the labels of images."""

import json

import pytest

from tests.ingest.labels.folder_sets import asked, in_folders, labels, loose, splits, summary, table
from tests.ingest.made import Bench, codes

IMAGES = loose(8)
KINDS = ["cat", "dog"]


def rows(label: str = "{kind}", file: str = "{n}.jpg") -> list[tuple[str, str]]:
    return [(file.format(n=n), label.format(kind=KINDS[n % 2], n=n)) for n in range(8)]


@pytest.mark.parametrize(
    "file", ["{n}", "{n}.jpg", "images/{n}.jpg", "/home/me/set/images/{n}.jpg", "images\\{n}.jpg"]
)
@pytest.mark.parametrize(
    "heads", ["image,label", "file_name,class", "id,species", "Image Index,Finding Labels"]
)
def test_a_column_names_the_labels(bench: Bench, file: str, heads: str) -> None:
    bench.run(IMAGES | {"labels.csv": table(heads, rows(file=file))})
    found = summary(bench)
    assert (found.kinds, found.task) == (("labels",), "multiclass")
    assert labels(bench) == {str(n): (KINDS[n % 2],) for n in range(8)}


def test_splits_of_the_table(bench: Bench) -> None:
    cells = [(f"{n}.jpg", KINDS[n % 2], "train" if n < 5 else "test" if n == 7 else "val") for n in range(8)]
    bench.run(IMAGES | {"labels.csv": table("image,label,split", cells)})
    assert [splits(bench)[str(n)] for n in (0, 4, 5, 6, 7)] == ["train", "train", "val", "val", "test"]


def test_a_table_for_each_split(bench: Bench) -> None:
    parts = rows()
    bench.run(
        IMAGES | {"train.csv": table("image,label", parts[:6]), "val.csv": table("image,label", parts[6:])}
    )
    assert [splits(bench)[str(n)] for n in (0, 5, 6, 7)] == ["train", "train", "val", "val"]
    assert len(labels(bench)) == 8


def test_columns_of_flags_are_classes(bench: Bench) -> None:
    one = [(n, float(n % 3 == 0), float(n % 3 == 1), float(n % 3 == 2)) for n in range(8)]
    bench.run(IMAGES | {"truth.csv": table("image,MEL,NV,BCC", one)})
    assert summary(bench).task == "multiclass"
    assert labels(bench)["4"] == ("NV",)
    several = [(n, int(n > 2), int(n % 2)) for n in range(8)]
    bench.run(IMAGES | {"truth.csv": table("image,scratch,dent", several)})
    assert summary(bench).task == "multilabel"
    assert labels(bench)["3"] == ("scratch", "dent")
    assert labels(bench)["0"] == ()


@pytest.mark.parametrize("sign", ["|", ";"])
def test_signs_part_labels(bench: Bench, sign: str) -> None:
    cells = [(n, sign.join(["Edema", "Mass"][: 1 + n % 2])) for n in range(8)]
    bench.run(IMAGES | {"data.csv": table("image,findings", cells)})
    assert summary(bench).task == "multilabel"
    assert labels(bench)["1"] == ("Edema", "Mass")


def test_spaces_may_part_labels(bench: Bench) -> None:
    tags = [
        "haze road",
        "clear road water",
        "clear",
        "haze water",
        "clear water",
        "haze",
        "clear road",
        "water",
    ]
    files = IMAGES | {"train.csv": table("image,tags", list(enumerate(tags)))}
    bench.run(files)
    assert asked(bench) == ["label_separator"]
    bench.run(files, label_separator=" ")
    assert [info.name for info in summary(bench).classes] == ["clear", "haze", "road", "water"]
    bench.run(files, label_separator="")
    assert len(summary(bench).classes) == 8


def test_lines_and_lists_of_json(bench: Bench) -> None:
    entries = [{"file_name": f"images/{n}.jpg", "label": KINDS[n % 2], "text": f"no. {n}"} for n in range(8)]
    lines = "\n".join(map(json.dumps, entries)).encode()
    bench.run(IMAGES | {"metadata.jsonl": lines})
    assert labels(bench)["3"] == ("dog",)
    lists = [{"image": f"{n}.jpg", "labels": ["x", "y"][: n % 3]} for n in range(8)]
    bench.run(IMAGES | {"labels.json": json.dumps(lists).encode()})
    assert (summary(bench).task, labels(bench)["2"], labels(bench)["3"]) == ("multilabel", ("x", "y"), ())


def test_numbers_get_their_names(bench: Bench) -> None:
    lines = "\n".join(f"images/{n}.jpg {n % 3}" for n in range(8)).encode()
    bench.run(IMAGES | {"list.txt": lines, "classes.txt": b"cat\ndog\nowl\n"})
    assert [info.name for info in summary(bench).classes] == ["cat", "dog", "owl"]
    assert labels(bench)["5"] == ("owl",)
    bench.run(IMAGES | {"list.txt": lines})
    assert [info.name for info in summary(bench).classes] == ["0", "1", "2"]


def test_several_columns_are_asked_about(bench: Bench) -> None:
    files = IMAGES | {"l.csv": table("id,breed,species", [(n, "ab"[n % 2], "xyz"[n % 3]) for n in range(8)])}
    bench.run(files)
    assert asked(bench) == ["label_columns"]
    bench.run(files, label_columns=["species"])
    assert [info.name for info in summary(bench).classes] == ["x", "y", "z"]
    bench.run(files, label_columns=["sex"])
    assert bench.result is not None
    assert codes(bench.result) == ["label_column_absent"]


def test_a_number_beside_its_name_says_the_same(bench: Bench) -> None:
    cells = [(n, n % 2, KINDS[n % 2], 30.5 + n) for n in range(8)]
    bench.run(IMAGES | {"l.csv": table("image,class_id,class_name,age", cells)})
    assert [info.name for info in summary(bench).classes] == KINDS


def test_rows_that_repeat_an_image(bench: Bench) -> None:
    files = IMAGES | {"l.csv": table("image,label", [*rows(), ("0.jpg", "dog")])}
    bench.run(files)
    assert asked(bench) == ["labels"]
    bench.run(files, labels="several")
    assert (summary(bench).task, labels(bench)["0"]) == ("multilabel", ("cat", "dog"))
    bench.run(files, labels="one")
    assert "0" not in labels(bench)
    bench.run(IMAGES | {"l.csv": table("image,label", [*rows(), rows()[0]])})
    assert summary(bench).task == "multiclass"


def test_what_rows_and_files_lack_is_told(bench: Bench) -> None:
    cells = [*rows()[:5], ("5.jpg", ""), ("nowhere.jpg", "cat")]
    bench.run(IMAGES | {"l.csv": table("image,label", cells)})
    assert bench.result is not None
    told = codes(bench.result, "warning")
    assert told.count("image_without_label") == 3
    assert told.count("image_missing") == 1
    assert len(labels(bench)) == 5


def test_folders_and_a_table_that_disagree(bench: Bench) -> None:
    files = in_folders("cat", "dog", each=4)
    same = table("image,label", [(path, path.split("/")[0]) for path in files])
    bench.run(files | {"l.csv": same})
    assert summary(bench).reading.format == "folder_per_class"  # type: ignore[union-attr]
    other = table("image,label", [(path, "old" if n % 3 else "new") for n, path in enumerate(files)])
    bench.run(files | {"l.csv": other})
    assert asked(bench) == ["label_format"]
    bench.run(files | {"l.csv": other}, format="label_table")
    assert [info.name for info in summary(bench).classes] == ["new", "old"]


def test_captions_are_no_labels(bench: Bench) -> None:
    images = loose(30)
    cells = [(n, f"a picture of thing {n}") for n in range(30)]
    bench.run(images | {"captions.csv": table("image,caption", cells)})
    assert bench.result is not None
    assert "no_pairs" in codes(bench.result)

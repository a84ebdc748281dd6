"""What is said of labels that cannot be learnt, or may be wrong."""

from tests.ingest.labels.folder_sets import in_folders, loose, picture, splits, summary, table
from tests.ingest.made import Bench, codes


def warnings(bench: Bench) -> list[str]:
    assert bench.result is not None
    return codes(bench.result, "warning")


def test_one_picture_in_two_classes(bench: Bench) -> None:
    bench.run(in_folders("cat", "dog") | {"cat/copy.jpg": picture(4)})
    assert warnings(bench) == ["image_in_two_classes"]


def test_a_copy_of_a_test_image_is_not_trained_on(bench: Bench) -> None:
    files = in_folders("train/cat", "train/dog", "test/cat", "test/dog") | {"train/cat/copy.jpg": picture(6)}
    bench.run(files)
    assert splits(bench)["train/cat/copy"] == "unused"


def test_classes_that_are_never_trained(bench: Bench) -> None:
    bench.run(in_folders("train/cat", "train/dog", "test/cat", "test/owl"))
    assert "class_untrained" in warnings(bench)


def test_unbalanced_classes(bench: Bench) -> None:
    many = {f"cat/{number}.jpg": picture(number) for number in range(63)}
    bench.run(many | {f"dog/d{number}.jpg": picture(100 + number) for number in range(3)})
    assert warnings(bench) == ["classes_unbalanced"]


def test_a_file_that_is_no_picture_is_named(bench: Bench) -> None:
    bench.run(in_folders("cat", "dog") | {"dog/x.jpg": b"no picture"})
    assert bench.result is not None
    [problem] = bench.result.problems
    assert (problem.severity, problem.file) == ("error", "dog/x.jpg")


def test_one_class_cannot_be_told_apart(bench: Bench) -> None:
    bench.run(loose(3) | {"labels.csv": table("image,label", [(n, "cat") for n in range(3)])})
    assert bench.result is not None
    assert codes(bench.result) == ["single_label"]


def test_a_cap_for_each_class(bench: Bench) -> None:
    bench.run(in_folders("train/cat", "train/dog", "val/cat", "val/dog", each=6), max_images_per_class=2)
    assert summary(bench).splits == {"train": 4, "val": 4, "unused": 16}


def test_caps_of_single_classes(bench: Bench) -> None:
    files = in_folders("train/cat", "train/dog", "val/cat", "val/dog", each=6)
    bench.run(files, max_images_per_class={"dog": 2})
    assert summary(bench).splits == {"train": 8, "val": 8, "unused": 8}
    bench.run(files, max_images_per_class={"owl": 2})
    assert bench.result is not None
    assert codes(bench.result) == ["class_unknown"]

"""Which words of paths name a split: judged over a whole set, and never by one that all files have."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ingest.formats.family import opened
from tests.ingest.formats.junk import DRAWN
from tests.ingest.made import Bench, encoded, mask, photo
from trainyard.datasets.record import IngestOptions
from workers.ingest.formats.choice import read_set
from workers.ingest.paths.split_folders import SplitFolders, file_splits, splits_of_names
from workers.ingest.paths.split_words import split_name
from workers.ingest.problems import ProblemLog
from workers.ingest.splits.told_splits import told_splits

NAMES = {
    "train": (
        "train, TRAIN, Training, trainingset, TrainDataset, TrainFolder, training_set, train-images, "
        "trainannot, TRAINImages, trainmasks, x_train, y_train, trainA, train2017, TrainingData_Part1, TR, "
        "imagesTr, VOCtrainval_2012, train_256x256, labelsTr, "
        "trainval, train_val, Train Set, instances_train2014, TRAINdata1, TRAINmasks, TRAINing, train_idx, "
        "Trainingsdaten, Trainingsmenge, Trainingsbilder, conjunto_de_entrenamiento, "
        "données d'apprentissage, jeu d'entraînement, 训练数据, 学習用データ, 학습데이터, обучающая выборка"
    ),
    "val": (
        "val, valid, Validation, val_img, valid_masks, ValSet, dev, VA, val.v2, VALdata1, VALIDimages, "
        "Validierungsdaten, Validierungssatz, conjunto_de_validación, 验证图像, 検証用画像, "
        "проверочная выборка"
    ),
    "test": (
        "test, Testing, TestDataset, imagesTs, labelsTs, Test_GT, TE, testset, testdata, TEST_MASKS, "
        "testA_1, groundtruth_test, Testdaten, Testdatensatz, Testbilder, jeu_de_test, datos_de_prueba, "
        "测试图片, テスト用画像, тестовая выборка"
    ),
    "eval": "eval, EvalSet, evaluation_images, évaluation, jeu d'évaluation, evaluación, 评估集, 評価",
    None: (
        "latest, contest, restrain, trainer, validated, trainstation, attestation, retrain, devices, images, "
        "train_test_split, 2017, detest, Satz, Menge, "
    ),
}


@pytest.mark.parametrize(("name", "split"), [(n, s) for s, names in NAMES.items() for n in names.split(", ")])
def test_words_in_names(name: str, split: str | None) -> None:
    found = split_name(name)
    assert (found.split if found else None) == split
    assert found is None or found.known


@pytest.mark.parametrize(
    "name", ["training_log", "road-test", "my_val", "rail-train-photos", "ISIC_Test_Input"]
)
def test_names_with_other_words_are_not_sure(name: str) -> None:
    found = split_name(name)
    assert found is not None
    assert not found.known


@pytest.mark.parametrize("rest", ["tiles", "crops_gt", "patches"])
@pytest.mark.parametrize("val", ["val", "valid", "validation"])
@pytest.mark.parametrize("train", ["train", "training"])
def test_words_that_are_joined_to_a_split(train: str, val: str, rest: str) -> None:
    """The whole word for the split is taken off: `validtiles` is not `val` and `idtiles`."""
    paths = [f"set/{split}{rest}/a/{n}.png" for split in (train, val, "test") for n in range(3)]
    assert told(*paths) == ["train"] * 3 + ["val"] * 3 + ["test"] * 3


def told(*paths: str) -> list[str | None]:
    folders = SplitFolders(paths)
    return [folders.of(path) for path in paths]


@pytest.mark.parametrize(
    ("paths", "splits"),
    [
        (("TrainDataset/a/1", "TestDataset/CVC-300/a/2"), ["train", "test"]),
        (("d/imagesTr/1", "d/labelsTr/1", "d/imagesTs/2"), ["train", "train", "test"]),
        (("TR/1", "TE/2"), ["train", "test"]),
        (("x_train/1", "y_train/1", "x_test/2"), ["train", "train", "test"]),
        (
            ("S2018_Training_Input/1", "S2018_Training_GT/1", "S2018_Test_v2_Input/2"),
            ["train", "train", "test"],
        ),
        (("images/train/a", "images/test/b", "masks/a", "masks/b"), ["train", "test", None, None]),
        (("images/a", "test_images/b"), [None, "test"]),
        (("a/train/1", "b/validation/2"), ["train", "val"]),
        (("VOCtrainval_06-Nov-2007/1", "VOCtest_06-Nov-2007/2"), ["train", "test"]),
        (("train/train/1", "train/val/2", "test/3"), ["train", "val", "test"]),
        (("train/1", "dev/2", "eval/3"), ["train", "val", "test"]),
        (("train/1", "eval/3"), ["train", "val"]),
        (("trn/1", "vld/2", "tst/3"), ["train", "val", "test"]),
        (("Entrenamiento/a/1", "Validación/a/2", "Prueba/a/3"), ["train", "val", "test"]),
        (("img/treino/1", "img/validacao/2", "img/teste/3"), ["train", "val", "test"]),
        (("训练集/1", "验证集/2", "测试集/3"), ["train", "val", "test"]),
        (("訓練/1", "検証/2", "テスト/3"), ["train", "val", "test"]),
        (("학습/1", "검증/2", "테스트/3"), ["train", "val", "test"]),
        (("обучение/1", "валидация/2", "тест/3"), ["train", "val", "test"]),
        (("train-kirin/a.png", "test-kirin/b.png", "train-dalmo/c.png"), ["train", "test", "train"]),
    ],
)
def test_folders_that_tell(paths: tuple[str, ...], splits: list[str | None]) -> None:
    assert told(*paths) == splits


@pytest.mark.parametrize(
    "paths",
    [
        ("my_val/a/1", "my_val/b/2"),
        ("train/a/1", "train/b/2"),
        ("test/images/1", "test/masks/1"),
        ("train/1", "train_masks/1"),
        ("train/1", "more/2"),
        ("road-test/1", "bridge/2"),
        ("kvasir_train/1", "etis_test/2"),
        ("images/1", "ts/2"),
        ("masks/train/0", "masks/car/0", "images/0"),
    ],
)
def test_folders_that_tell_nothing(paths: tuple[str, ...]) -> None:
    assert told(*paths) == [None] * len(paths)


def test_a_class_called_train_is_none() -> None:
    classes = [f"{split}/masks/{name}/0" for split in ("train", "test") for name in ("train", "car")]
    assert told(*classes) == ["train", "train", "test", "test"]
    assert told("images/train/0", "images/val/1", "masks/train/0", "masks/car/0") == [
        "train",
        "val",
        None,
        None,
    ]


def test_what_may_be_a_split_is_doubtful() -> None:
    assert SplitFolders(("kvasir_train/1", "etis_test/2")).doubtful == {
        "kvasir_train": "train",
        "etis_test": "test",
    }
    assert SplitFolders(("road-test/1", "road-test/2")).doubtful == {}
    assert SplitFolders(("s_train/1", "s_test/2")).doubtful == {}


def test_names_of_annotation_files() -> None:
    assert splits_of_names(["instances_train2017", "instances_val2017"]) == ["train", "val"]
    assert splits_of_names(["annotations", "annotations_val"]) == [None, "val"]
    assert splits_of_names(["annotations_val"]) == [None]
    assert splits_of_names(["train", "train"]) == [None, None]


@pytest.mark.parametrize(
    ("stems", "splits"),
    [
        (["train_1", "testA_1", "val 2"], ["train", "test", "val"]),
        (["cat_train_1", "dog_train_2", "cat_val_3"], ["train", "train", "val"]),
        (["train_station", "test_tube"], None),
        (["train_1", "2"], None),
        (["train_1", "train_2"], None),
        (["val_1", "test_2"], None),
    ],
)
def test_names_of_files(stems: list[str], splits: list[str] | None) -> None:
    assert file_splits(stems) == splits


def test_folders_may_be_endlessly_deep() -> None:
    paths = ["/".join(["train", *"a" * 30_000, str(number)]) for number in range(50)]
    assert SplitFolders(paths).of(paths[0]) is None


def pictures(*splits: tuple[str, str, int]) -> dict[str, bytes]:
    """Images and masks of the numbers at the two patterns of paths, as triples of these."""
    return {
        path.format(number): encoded(photo(number)) if role == 0 else encoded(mask(0, 1))
        for image, truth, number in splits
        for role, path in enumerate((image, truth))
    }


def run(bench: Bench, files: Mapping[str, bytes], **options: object) -> dict[str, str]:
    """The split of each sample by its number, of a set that nothing is wrong with."""
    result = bench.run(files, **options)
    assert result.summary is not None, result.problems
    return {sample.name.rsplit("/", 1)[-1]: sample.split for sample in bench.prepared.samples}


@pytest.mark.parametrize(
    ("image", "truth"),
    [
        ("{}/images/#.png", "{}/masks/#.png"),
        ("images/{}/#.png", "masks/{}/#.png"),
        ("images/{}/#.png", "masks/#.png"),
        ("images/#.png", "masks/{}/#.png"),
        ("{}_images/#.png", "{}_masks/#.png"),
        ("{}Dataset/image/#.png", "{}Dataset/masks/#.png"),
        ("top/{}Set/day 1/images/#.png", "top/{}Set/day 1/masks/#.png"),
        ("{}Images/#.png", "{}Masks/#.png"),
        ("{}2018/images/#.png", "{}2018/masks/#.png"),
    ],
)
@pytest.mark.parametrize(
    "words", [("train", "val", "test"), ("Training", "Valid", "Testing"), ("TRAIN", "DEV", "TEST")]
)
def test_joined_words(bench: Bench, image: str, truth: str, words: tuple[str, str, str]) -> None:
    files = pictures(
        *(
            (image.format(word).replace("#", "{}"), truth.format(word).replace("#", "{}"), number)
            for number, word in enumerate((*words, words[0]))
        )
    )
    assert run(bench, files) == {"0": "train", "1": "val", "2": "test", "3": "train"}
    assert bench.result is not None
    assert bench.result.problems == ()


@pytest.mark.parametrize("top", ["my_val", "road-test", "train", "test", "Val2017"])
@pytest.mark.parametrize("kind", ["pictures", "coco", "labelme", "yolo_seg", "voc"])
def test_a_word_that_all_have_says_nothing(bench: Bench, top: str, kind: str) -> None:
    files = {f"{top}/{path}": data for path, data in annotated(kind, 8).items()}
    assert sorted(run(bench, files).values()) == ["train"] * 6 + ["val"] * 2
    assert bench.result is not None
    assert [one.code for one in bench.result.problems if "split" in one.code] == []


def annotated(kind: str, count: int, split: str = "", first: int = 0) -> dict[str, bytes]:
    """Images with an object each in some format; in folders of the split, if there is one."""
    ring = [1, 1, 5, 1, 5, 5, 1, 5]
    part = f"{split}/" if split else ""
    numbers = range(first, first + count)
    images = {number: encoded(photo(number), "JPEG") for number in numbers}
    if kind == "pictures":
        return pictures(*((f"images/{part}{{}}.png", f"masks/{part}{{}}.png", number) for number in numbers))
    if kind == "voc":
        return {f"{part}JPEGImages/{n}.jpg": data for n, data in images.items()} | {
            f"{part}SegmentationClass/{n}.png": encoded(mask(0, 1)) for n in numbers
        }
    files = {f"{part}images/{n}.jpg": data for n, data in images.items()}
    if kind == "yolo_seg":
        return files | {f"{part}labels/{n}.txt": b"0 0 0 0.5 0 0.5 1" for n in numbers}
    if kind == "labelme":
        shape = {"label": "thing", "shape_type": "polygon", "points": [[1, 1], [5, 1], [5, 5]]}
        sheet = {"version": "5.0.1", "flags": {}, "shapes": [shape], "imageData": None}
        about = {"imageWidth": 8, "imageHeight": 6}
        return files | {
            f"{part}images/{n}.json": json.dumps(sheet | about | {"imagePath": f"{n}.jpg"}).encode()
            for n in numbers
        }
    sets = [{"id": n, "file_name": f"{n}.jpg", "width": 8, "height": 6} for n in numbers]
    drawn = [
        {"id": n, "image_id": n, "category_id": 1, "iscrowd": 0, "area": 16, "bbox": [1, 1, 4, 4]}
        | {"segmentation": [ring]}
        for n in numbers
    ]
    document = {"images": sets, "annotations": drawn, "categories": [{"id": 1, "name": "thing"}]}
    return files | {f"{part}annotations.json": json.dumps(document).encode()}


@pytest.mark.parametrize("kind", ["pictures", "coco", "labelme", "yolo_seg", "voc"])
@pytest.mark.parametrize(
    "words", [("train", "val", "test"), ("TrainSet", "ValSet", "TestSet"), ("tr", "va", "te")]
)
def test_all_formats_are_told_by_folders(bench: Bench, kind: str, words: tuple[str, str, str]) -> None:
    files: dict[str, bytes] = {}
    for index, word in enumerate(words):
        files |= annotated(kind, index + 1, word, first=10 * index)
    result = bench.run(files)
    assert result.summary is not None, result.problems
    assert result.summary.splits == {"train": 1, "val": 2, "test": 3}


def test_image_and_mask_of_different_splits(bench: Bench) -> None:
    paths = [("train", "train", 0), ("train", "train", 1), ("train", "test", 2), ("test", "test", 3)]
    files = pictures(*((f"images/{one}/{{}}.png", f"masks/{other}/{{}}.png", n) for one, other, n in paths))
    result = bench.run(files, images="images/*/*.png")
    found = {one.name: one.split for one in bench.prepared.samples} if result.summary else {}
    assert found.get("train/2") != "train"
    assert result.problems


@pytest.mark.parametrize("source", ["coco", "referenced"])
def test_annotations_of_one_folder_of_images(bench: Bench, source: str) -> None:
    files: dict[str, bytes] = {}
    for index, split in enumerate(("train", "val")):
        made = annotated("coco", index + 1, first=10 * index)
        document = json.loads(made.pop("annotations.json"))
        if source == "referenced":
            for image in document["images"]:
                image["file_name"] = f"{split}2017/{image['file_name']}"
        name = f"instances_{split}2017" if source == "coco" else f"part{index}"
        files |= made | {f"annotations/{name}.json": json.dumps(document).encode()}
    assert run(bench, files) == {"0": "train", "10": "val", "11": "val"}


@pytest.mark.parametrize("end", ["", "/images"])
@pytest.mark.parametrize("base", ["", "../", "C:\\\\me\\\\set\\\\", "/data/set/"])
def test_yolos_yaml_names_folders(bench: Bench, base: str, end: str) -> None:
    files = annotated("yolo_seg", 2, "one") | annotated("yolo_seg", 3, "two", first=10)
    yaml = f'train: "{base}one{end}"\nval: ["{base}two{end}"]\nnames: [thing]\n'
    result = bench.run(files | {"data.yaml": yaml.encode()})
    assert result.summary is not None
    assert result.summary.splits == {"train": 2, "val": 3}
    assert result.problems == ()


def test_yolos_yaml_names_lists(bench: Bench) -> None:
    files = annotated("yolo_seg", 4)
    yaml = b"train: ./first.txt\nval: second.txt\nnames: [thing]\n"
    lists = {"first.txt": b"./images/0.jpg\n./images/2.jpg\n", "second.txt": b"images/1.jpg\nimages/3.jpg\n"}
    assert run(bench, files | lists | {"data.yaml": yaml}) == {
        "0": "train",
        "1": "val",
        "2": "train",
        "3": "val",
    }


def test_yolos_yaml_that_parts_nothing(bench: Bench) -> None:
    files = annotated("yolo_seg", 5) | {"data.yaml": b"train: images\nval: images\nnames: [thing]\n"}
    assert sorted(run(bench, files).values()) == ["train"] * 4 + ["val"]


WORDS = {
    "train": [
        "train",
        "Training",
        "TRAIN",
        "trainingset",
        "TrainDataset",
        "train2017",
        "train_data",
        "Train-Set",
    ],
    "val": ["val", "Valid", "VALIDATION", "validset", "ValDataset", "val2017", "val_data", "dev"],
    "test": ["test", "Testing", "TEST", "testingset", "TestDataset", "test2017", "test_data", "Test-Set"],
}
PLACES = [
    ("{split}/images/", "{split}/masks/"),
    ("images/{split}/", "masks/{split}/"),
    ("{split}_images/", "{split}_masks/"),
    ("{split}/", "{split}_masks/"),
    ("images/{split}/city/", "masks/{split}/city/"),
    ("{split}/part 1/images/", "{split}/part 1/masks/"),
    ("kvasir_{split}_v2/images/", "kvasir_{split}_v2/masks/"),
    ("images/{split}/", "masks/"),
    ("images/", "masks/{split}/"),
    ("imgs/", "masks/"),
]
TOPS = ["", "set/", "my_val/", "road-test/", "train/", "data/test/", "latest/"]


@st.composite
def trees(draw: st.DrawFn) -> tuple[dict[str, bytes], dict[str, str]]:
    """Files, and the split of each image by its path; folders or lists tell it."""
    splits = draw(st.lists(st.sampled_from(["train", "val", "test"]), min_size=3, max_size=9))
    splits = ["train", draw(st.sampled_from(["val", "test"])), *splits]
    image, truth = draw(st.sampled_from(PLACES))
    word = {split: draw(st.sampled_from(words)) for split, words in WORDS.items()}
    top = draw(st.sampled_from(TOPS))
    starts = draw(st.sampled_from([["", "img ", "a-"], ["test_"], ["train_", "val_", "test_"]]))
    anew = "{split}" in image and "{split}" in truth and draw(st.booleans())
    files = {
        f"{top}{name}": encoded(photo(99)) for name in draw(st.sets(st.sampled_from(STRAYS), max_size=1))
    }
    told: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for number, split in enumerate(splits):
        start = draw(st.sampled_from(starts))
        name = f"{start}{len(lists.get(split, [])) if anew else number}"
        referenced = f"{image.format(split=word[split])}{name}.png"
        files[f"{top}{referenced}"] = encoded(photo(number))
        annotated = f"{truth.format(split=word[split])}{name}.png"
        files[f"{top}{annotated}"] = encoded(mask(0, 1))
        told[f"{top}{referenced}"] = split
        ways = [
            referenced,
            f"{name}.png",
            name,
            f"/home/me/{referenced}",
            annotated,
            referenced.replace("/", "\\"),
        ]
        line = draw(st.sampled_from([*ways, f"{referenced} {annotated}", f"{referenced},{annotated}"]))
        lists.setdefault(split, []).append(line)
    if "{split}" not in image + truth or draw(st.booleans()):
        folder = draw(st.sampled_from(["", "splits/", "ImageSets/Segmentation/"]))
        files |= {
            f"{top}{folder}{word[split]}.txt": "\n".join(some).encode() for split, some in lists.items()
        }
    return files, told


STRAYS = ["docs/figure.png", "preview.png", "val_preview/9.png"]
"""Pictures that belong to no image of the set."""


@pytest.mark.parametrize(
    ("files", "origin"),
    [
        (
            annotated("pictures", 2, "TrainSet") | annotated("pictures", 2, "val", first=5),
            "folders TrainSet/, val/",
        ),
        (
            annotated("pictures", 3) | {"s/train.txt": b"0\n2", "s/val.txt": b"1"},
            "lists s/train.txt, s/val.txt",
        ),
        (annotated("coco", 3), ""),
        (
            annotated("yolo_seg", 2, "a") | annotated("yolo_seg", 2, "b") | {"d.yaml": b"train: a\nval: b"},
            "annotations",
        ),
        (
            pictures(
                ("images/train_{}.png", "masks/train_{}.png", 1), ("images/val_{}.png", "masks/val_{}.png", 2)
            ),
            "names of files",
        ),
    ],
)
def test_it_is_said_what_told_them(tmp_path: Path, files: dict[str, bytes], origin: str) -> None:
    with opened(tmp_path, files) as source:
        _, found = read_set(source, IngestOptions(), ProblemLog())
        assert found is not None
        assert told_splits(found.items, source, IngestOptions(), ProblemLog()).origin == origin


@DRAWN
@given(tree=trees())
def test_what_is_told_is_the_truth(tmp_path: Path, tree: tuple[dict[str, bytes], dict[str, str]]) -> None:
    files, truth = tree
    with opened(tmp_path, files) as source:
        log = ProblemLog()
        _, found = read_set(source, IngestOptions(), log)
        assert found is not None, log.problems()
        told = told_splits(found.items, source, IngestOptions(), log)
    assert not log.has_errors
    assert told.origin
    assert {item.image.path: item.split for item in told.items} == truth


@DRAWN
@given(
    place=st.sampled_from(PLACES),
    word=st.sampled_from([word for words in WORDS.values() for word in words]),
    top=st.sampled_from(TOPS),
    is_listed=st.booleans(),
)
def test_a_set_of_one_split_is_told_none(
    tmp_path: Path, place: tuple[str, str], word: str, top: str, is_listed: bool
) -> None:
    image, truth = (f"{top}{path.format(split=word)}{{}}.png" for path in place)
    files = pictures(*((image, truth, number) for number in range(3)))
    if is_listed:
        files[f"{top}{word}.txt"] = b"0\n1.png\n" + image.format(2).encode()
    with opened(tmp_path, files) as source:
        log = ProblemLog()
        _, found = read_set(source, IngestOptions(), log)
        assert found is not None
        told = told_splits(found.items, source, IngestOptions(), log)
    assert log.problems() == ()
    assert told.origin == ""
    assert [item.split for item in told.items] == [None] * 3


@DRAWN
@given(
    st.lists(
        st.lists(
            st.sampled_from(["train", "val", "test", "my_test", "tr", "images", "car", "Trainset", "eval"]),
            max_size=4,
        ).map(lambda parts: "/".join([*parts, "0.png"])),
        min_size=1,
        max_size=8,
        unique=True,
    )
)
def test_folders_tell_only_what_they_are_called(paths: list[str]) -> None:
    folders = SplitFolders(paths)
    found = {path: folders.of(path) for path in paths}
    for path, told in found.items():
        names = [split_name(part) for part in path.split("/")[:-1]]
        assert told is None or told in {name.split for name in names if name} | {"val", "test"}
        assert (told == "train") <= any(name is not None and name.split == "train" for name in names)
    assert set(found.values()) != {"train"}
    assert set(found.values()) <= {None} or set(found.values()) & {"val", "test"}

"""Names of classes that lie beside the masks are used, and never shifted in silence."""

import json
from typing import Any

import numpy as np
import pytest

from tests.ingest.made import Array, Bench, codes, encoded
from tests.ingest.scenes import answers, classes, names_of, upload_of

NAMED = {0: "background", 1: "cat", 2: "dog"}
FORMS: dict[str, Any] = {
    "names": ["background", "cat", "dog"],
    "names without background": ["cat", "dog"],
    "objects": [{"name": "background", "id": 0}, {"name": "cat", "id": 1}, {"name": "dog", "id": 2}],
    "superannotate": [
        {"name": "cat", "color": "#ff0000", "id": 1},
        {"name": "dog", "color": "#00ff00", "id": 2, "attribute_groups": []},
    ],
    "objects without ids": [{"name": "cat", "color": [255, 0, 0]}, {"name": "dog", "color": [0, 255, 0]}],
    "id to name": {"0": "background", "1": "cat", "2": "dog"},
    "name to id": {"background": 0, "cat": 1, "dog": 2},
    "name to digits": {"background": "0", "cat": "1", "dog": "2"},
    "id to object": {
        "0": {"name": "background"},
        "1": {"name": "cat", "color": [1, 2, 3]},
        "2": {"name": "dog"},
    },
    "colours by name": {"background": [0, 0, 0], "cat": [255, 0, 0], "dog": [0, 255, 0]},
    "within, names": {"classes": ["background", "cat", "dog"]},
    "within, objects": {"classes": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]},
    "within, mapping": {"labels": {"background": 0, "cat": 1, "dog": 2}},
    "categories": {"categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]},
}


def set_of(values: tuple[int, ...] = (1, 2), images: int = 6) -> tuple[dict[str, bytes], list[Array]]:
    masks = [classes(values, 2, seed) for seed in range(images)]
    return upload_of(map(encoded, masks), masks), masks


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("file", ["classes.json", "sub/classes.json", "labels.json", "class_names.json"])
def test_forms_of_json(bench: Bench, form: str, file: str) -> None:
    files, _ = set_of()
    result = bench.run(files | {file: json.dumps(FORMS[form]).encode()})
    assert names_of(result) == NAMED
    assert codes(result, "warning") == []
    assert result.summary is not None
    assert result.summary.reading is not None
    assert file in result.summary.reading.classes


@pytest.mark.parametrize(
    "labels", [{"background": 0, "cat": 1, "dog": 2}, {"0": "background", "1": "cat", "2": "dog"}]
)
def test_nnunets_dataset_json(bench: Bench, labels: dict[str, Any]) -> None:
    files, _ = set_of()
    about = {"channel_names": {"0": "R"}, "labels": labels, "numTraining": 6, "file_ending": ".png"}
    assert names_of(bench.run(files | {"dataset.json": json.dumps(about).encode()})) == NAMED


def test_another_dataset_json_is_no_matter(bench: Bench) -> None:
    files, _ = set_of()
    result = bench.run(files | {"dataset.json": b'{"title": "cats"}'})
    assert codes(result, "warning") == []
    assert names_of(result)[1] == "class_1"


@pytest.mark.parametrize(
    "file",
    [
        "classes.txt",
        "labels.txt",
        "class_names.txt",
        "codes.txt",
        "label_names.txt",
        "Classes.TXT",
        "label.txt",
        "class.txt",
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "background\ncat\ndog\n",
        "cat\r\ndog\r\n",
        "0 background\n1 cat\n2 dog",
        "1: cat\n2: dog\n",
        "background 0\ncat 1\ndog 2\n",
        "background,0\ncat,1\ndog,2\n",
        "__ignore__\n_background_\ncat\ndog\n",
        "\ufeffbackground\n\ncat\ndog\n\n",
        "# of the set\nbackground\ncat\ndog",
    ],
)
def test_forms_of_text(bench: Bench, file: str, text: str) -> None:
    files, _ = set_of()
    names = names_of(bench.run(files | {f"top/{file}": text.encode()}))
    assert names in (NAMED, {**NAMED, 0: "_background_"})


def test_tensorflows_label_map(bench: Bench) -> None:
    files, _ = set_of()
    text = b"item {\n  id: 1\n  name: 'cat'\n}\nitem { id: 2 display_name: \"dog\" }\n"
    assert names_of(bench.run(files | {"label_map.pbtxt": text})) == NAMED


@pytest.mark.parametrize(
    ("values", "text", "named"),
    [
        ((255,), "background\ncat", {0: "background", 255: "cat"}),
        ((255,), "cat", {0: "background", 255: "cat"}),
        ((128, 255), "background\ncat\ndog", {0: "background", 128: "cat", 255: "dog"}),
        ((128, 255), "cat\ndog", {0: "background", 128: "cat", 255: "dog"}),
        ((1, 3), "background\ncat\ndog\nowl", {0: "background", 1: "cat", 2: "dog", 3: "owl"}),
        ((1, 2), "sky\nroad\nvoid", {0: "sky", 1: "road", 2: "void"}),
        ((1, 2), "sky\nroad\ntree", {0: "sky", 1: "road", 2: "tree"}),
        ((1, 2, 255), "background\ncat\ndog", NAMED),
        ((1, 255), "cat", {0: "background", 1: "cat"}),
    ],
)
def test_names_in_order_are_fitted_to_the_values(
    bench: Bench, values: tuple[int, ...], text: str, named: dict[int, str]
) -> None:
    files, _ = set_of(values)
    result = bench.run(files | {"classes.txt": text.encode()})
    assert names_of(result) == named


@pytest.mark.parametrize(
    ("values", "text"), [((1,), "cat\ndog"), ((1, 3), "a\nb\nc\nd\ne"), ((2,), "a\nb\nc")]
)
def test_names_that_may_start_at_0_or_1_are_asked_about(
    bench: Bench, values: tuple[int, ...], text: str
) -> None:
    files, _ = set_of(values)
    results = answers(bench, files | {"classes.txt": text.encode()})
    listed = text.split("\n")
    assert names_of(results["from_0"]) == dict(enumerate(listed))
    assert names_of(results["from_1"]) == {0: "background"} | dict(enumerate(listed, start=1))


def test_the_question_keeps_what_is_ignored(bench: Bench) -> None:
    files, _ = set_of((1, 255))
    results = answers(bench, files | {"labels.txt": b"cat\ndog"})
    for result in results.values():
        assert result.summary is not None
        assert result.summary.ignore_share > 0


@pytest.mark.parametrize("text", ["cat\ndog", "background\ncat"])
def test_fewer_names_than_values_are_left_out_with_a_warning(bench: Bench, text: str) -> None:
    files, _ = set_of((1, 2, 3, 4, 5))
    result = bench.run(files | {"labels.txt": text.encode()})
    assert codes(result, "warning") == ["class_names_misfit"]
    assert names_of(result)[5] == "class_5"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("classes.json", b"{"),
        ("classes.json", b"[1, 2]"),
        ("classes.json", b'[["a", "b"]]'),
        ("classes.json", b'{"a": "b"}'),
        ("classes.json", b'["cat", "cat"]'),
        ("classes.json", b'[{"name": "cat", "color": "red", "id": 1}]'),
        ("labels.txt", b"images/0.png masks/0.png\n"),
        ("labels.txt", b"000.png\n001.png\n"),
        ("labels.txt", b"\x00\xf6\x00hle"),
        ("labels.txt", b""),
        ("classes.txt", b"\n".join(b"n%d" % number for number in range(300))),
        ("classes.txt", b"x" * 200),
        ("label_map.pbtxt", b"item"),
    ],
)
def test_a_file_of_another_form_is_left_out_in_plain_words(bench: Bench, file: str, content: bytes) -> None:
    files, _ = set_of()
    result = bench.run(files | {file: content})
    assert [(one.severity, one.code, one.file) for one in result.problems] == [
        ("warning", "classes_file", file)
    ]
    assert not any(word in result.problems[0].message for word in ("Error", "None", "object at", "codec"))
    assert names_of(result) == {0: "background", 1: "class_1", 2: "class_2"}


@pytest.mark.parametrize(("values", "form"), [((128, 255), "id to name"), ((10, 70), "objects")])
def test_ids_of_a_file_that_no_mask_has_are_taken_in_order(
    bench: Bench, values: tuple[int, int], form: str
) -> None:
    files, _ = set_of(values)
    result = bench.run(files | {"classes.json": json.dumps(FORMS[form]).encode()})
    assert names_of(result) == {0: "background", values[0]: "cat", values[1]: "dog"}
    assert result.summary is not None
    assert result.summary.reading is not None
    assert "in order" in result.summary.reading.guesses[0]


def test_the_next_file_is_asked_where_one_is_left_out(bench: Bench) -> None:
    files, _ = set_of()
    result = bench.run(files | {"classes.json": b"{}", "labels.txt": b"cat\ndog"})
    assert names_of(result) == NAMED
    assert codes(result, "warning") == ["classes_file"]


def test_colours_of_names_are_a_table_for_masks_of_colours(bench: Bench) -> None:
    colors = np.array([(0, 0, 0), (255, 0, 0), (0, 255, 0)], np.uint8)
    masks = [classes((1, 2), 2, seed) for seed in range(6)]
    files = upload_of((encoded(colors[mask]) for mask in masks), masks)
    for form in ("superannotate", "objects without ids", "colours by name"):
        result = bench.run(files | {"classes.json": json.dumps(FORMS[form]).encode()})
        shown = {info.name: info.color for info in result.summary.classes} if result.summary else {}
        assert shown["dog"] == (0, 255, 0), form


@pytest.mark.parametrize("file", ["classes.csv", "labels.csv", "meta/class_names.csv"])
@pytest.mark.parametrize(
    "text",
    [
        "id,name\n0,background\n1,cat\n2,dog\n",
        "Name;Value;Colour\ndog;2;red\ncat;1;blue\n",
        "class,label_id\r\nbackground,0\r\ncat,1\r\ndog,2\r\n",
    ],
)
def test_tables_with_names_and_ids(bench: Bench, file: str, text: str) -> None:
    result = bench.run(set_of()[0] | {file: text.encode()})
    assert names_of(result) == NAMED
    assert codes(result, "warning") == []


@pytest.mark.parametrize(
    "text",
    [
        "image,label\n0.png,cat\n",
        "id,label\n0,benign\n1,benign\n",
        "id,label\nISIC_1,a\nISIC_2,b\n",
        "",
        "\n",
    ],
)
def test_tables_of_images_name_no_classes(bench: Bench, text: str) -> None:
    result = bench.run(set_of()[0] | {"labels.csv": text.encode()})
    assert names_of(result) == {0: "background", 1: "class_1", 2: "class_2"}
    assert codes(result, "warning") == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("class_dict.csv", "name,r,g,b\nbackground,0,0,0\ncat,128,0,0\ndog,0,128,0\n"),
        ("class_dict_seg.csv", "name, r, g, b\nbackground, 0, 0, 0\ncat, 128, 0, 0\ndog, 0, 128, 0\n"),
        ("label_colors.txt", "0 0 0 background\n128 0 0 cat\n0 128 0 dog\n"),
        ("classes.yaml", "names:\n- background\n- cat\n- dog\n"),
        ("classes.yml", "0: background\n1: cat\n2: dog\n"),
        ("data.yaml", "train: ./images\nnc: 2\nnames: [cat, dog]\n"),
        ("my set.yaml", "path: .\nnames:\n  0: cat\n  1: dog\n"),
        ("obj.names", "cat\ndog\n"),
        ("sub/my.names", "background\ncat\ndog\n"),
        (
            "labelmap.txt",
            "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\ndog:0,128,0::\n",
        ),
        ("label_map.txt", "0 background\n1 cat\n2 dog\n"),
        ("categories.txt", "cat\ndog\n"),
        ("class_list.csv", "id,name\n0,background\n1,cat\n2,dog\n"),
        ("categories.json", '[{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]'),
        ("class_to_idx.json", '{"background": 0, "cat": 1, "dog": 2}'),
        ("ClassMapping.json", '{"0": "background", "1": "cat", "2": "dog"}'),
        (
            "meta.json",
            '{"classes": [{"title": "cat", "color": "#ff0000"}, {"title": "dog", "color": "#00ff00"}]}',
        ),
        ("info.json", '{"num_classes": 3, "classes": ["background", "cat", "dog"]}'),
    ],
)
def test_files_of_other_names_and_forms(bench: Bench, file: str, text: str) -> None:
    files, _ = set_of()
    result = bench.run(files | {file: text.encode()})
    assert names_of(result) == NAMED
    assert codes(result, "warning") == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("config.json", '{"classes": 4, "lr": 0.1}'),
        ("params.yaml", "lr: 0.1\nnames: none\n"),
        ("notes.json", "not json"),
        ("coco.json", '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "owl"}]}'),
        ("dataset_info.json", '{"labels": {"000.png": 0, "001.png": 1}}'),
        ("train.yaml", "a: [&x 1, *x]\n"),
    ],
)
def test_files_about_something_else_are_no_matter(bench: Bench, file: str, text: str) -> None:
    result = bench.run(set_of()[0] | {file: text.encode()}, format="pictures")
    assert names_of(result) == {0: "background", 1: "class_1", 2: "class_2"}
    assert codes(result, "warning") == []


def test_a_broken_list_that_names_a_picture_is_asked_about(bench: Bench) -> None:
    files = set_of()[0]
    image = next(path for path in sorted(files) if "image" in path)
    result = bench.run(files | {"test.yaml": f"[{image}, *x".encode()}, format="pictures")
    assert [question.code for question in result.questions] == ["split_lists_unused"]


SWAPPED = {
    "classes.txt": b"background\ndog\ncat\n",
    "sub/labels.txt": b"dog\ncat\n",
    "data.yaml": b"names: [dog, cat]\n",
    "label_map.json": b'{"0": "background", "1": "dog", "2": "cat"}',
    "class_dict.csv": b"name,r,g,b\nbackground,0,0,0\ndog,1,1,1\ncat,2,2,2\n",
}


@pytest.mark.parametrize("other", SWAPPED)
def test_files_that_contradict_each_other_are_asked_about(bench: Bench, other: str) -> None:
    files = set_of()[0] | {"classes.json": b'["background", "cat", "dog"]', other: SWAPPED[other]}
    results = answers(bench, files)
    assert names_of(results["first"]) == NAMED
    assert names_of(results["file_2"]) == {0: "background", 1: "dog", 2: "cat"}
    assert codes(bench.run(files, on_question="fail")) == ["class_files"]
    assert names_of(bench.run(files, on_question="assume")) == NAMED


def test_files_that_say_the_same_are_no_question(bench: Bench) -> None:
    files = set_of()[0] | {"classes.txt": b"background\ncat\ndog\n", "data.yaml": b"names: [Cat, dog]\n"}
    assert (
        names_of(bench.run(files | {"a/class_dict.csv": b"_background_,0,0,0\ncat,9,9,9\ndog,8,8,8\n"}))
        == NAMED
    )


def test_the_next_file_counts_where_the_first_does_not_fit(bench: Bench) -> None:
    files = set_of((1, 2, 3))[0] | {"classes.txt": b"a\nb\n", "data.yaml": b"names: [x, y, z]\n"}
    result = bench.run(files)
    assert names_of(result) == {0: "background", 1: "x", 2: "y", 3: "z"}
    assert codes(result, "warning") == ["class_names_misfit"]


def test_names_numbered_from_one_with_the_background_are_asked_about(bench: Bench) -> None:
    files = set_of()[0] | {"classes.json": b'{"1": "background", "2": "cat", "3": "dog"}'}
    results = answers(bench, files)
    assert names_of(results["from_0"]) == NAMED
    assert names_of(results["as_written"]) == {0: "unlabelled", 1: "background", 2: "cat", 3: "dog"}


@pytest.mark.parametrize(
    ("encoding", "listed"),
    [
        ("latin-1", ("hintergrund", "h\u00f6hle", "b\u00e4r")),
        ("cp1252", ("background", "caf\u00e9", "ni\u00f1o")),
        ("cp1251", ("\u0444\u043e\u043d", "\u043a\u043e\u0442", "\u0441\u043e\u0432\u0430")),
        ("gbk", ("\u80cc\u666f", "\u732b\u54aa", "\u5c0f\u72d7")),
    ],
)
def test_names_in_other_encodings_are_read_and_said(
    bench: Bench, encoding: str, listed: tuple[str, ...]
) -> None:
    result = bench.run(set_of()[0] | {"classes.txt": "\n".join(listed).encode(encoding)})
    assert names_of(result) == dict(enumerate(listed))
    assert codes(result, "warning") == ["text_encoding_guessed"]


def test_utf_16_says_itself(bench: Bench) -> None:
    result = bench.run(set_of()[0] | {"classes.txt": "background\ncat\ndog".encode("utf-16")})
    assert names_of(result) == NAMED
    assert codes(result, "warning") == []

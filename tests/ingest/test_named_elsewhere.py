"""Names of classes in files of other languages, and in forms that programs and people write."""

import pytest

from tests.ingest.boxed import yolo
from tests.ingest.made import Bench
from tests.ingest.test_class_names import set_of

NAMED_ELSEWHERE: dict[str, tuple[str, str]] = {
    "German": ("klassen.txt", "Hintergrund\nKatze\nHund\nKuh\n"),
    "German table": ("Klassenliste.csv", "Nr;Bezeichnung\n0;Hintergrund\n1;Katze\n2;Hund\n3;Kuh\n"),
    "French": ("étiquettes.txt", "1 Katze\n2 Hund\n3 Kuh\n"),
    "Spanish": ("lista de clases.txt", "fondo\nKatze\nHund\nKuh\n"),
    "Chinese": ("类别.txt", "背景\nKatze\nHund\nKuh\n"),
    "Chinese table": ("类别说明.md", "| 值 | 名称 |\n|---|---|\n| 3 | Kuh |\n| 2 | Hund |\n| 1 | Katze |\n"),
    "Markdown list": ("classes.md", "# Classes\n\n1. background\n2. Katze\n3. Hund\n4. Kuh\n"),
    "Markdown items": ("classes.md", "* 3: Kuh\n* 1: Katze\n* 2: Hund\n"),
    "README": ("README.md", "# Set\n\n|value|class|\n|:-|-:|\n|1|`Katze`|\n|2|Hund|\n|3|Kuh|\n"),
    "tabs": ("classes.tsv", "id\tname\n2\tHund\n1\tKatze\n3\tKuh\n"),
    "quoted": ("classes.txt", '"background",\n"Katze",\n"Hund",\n"Kuh"\n'),
    "a list of a program": ("labels.txt", "['background', 'Katze', 'Hund', 'Kuh']"),
    "colours behind": ("labels.txt", "Katze 255 0 0\nHund 0 255 0\nKuh 0 0 255\n"),
}
"""Files that call 1, 2 and 3 a cat, a dog and a cow, as German has it, in the ways of several languages."""


@pytest.mark.parametrize("form", NAMED_ELSEWHERE)
def test_names_are_found_in_other_languages_and_forms(bench: Bench, form: str) -> None:
    name, text = NAMED_ELSEWHERE[form]
    files, _ = set_of((1, 2, 3))
    result = bench.run(files | {name: text.encode()}, processes=1)
    assert result.summary is not None, (result.problems, result.questions)
    assert [info.name for info in result.summary.classes][1:] == ["Katze", "Hund", "Kuh"]


def test_names_from_zero_of_objects_alone_are_asked_about(bench: Bench) -> None:
    files, _ = set_of()
    named = b'[{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]'
    result = bench.run(files | {"classes.json": named}, processes=1)
    assert [one.code for one in result.questions] == ["class_names"]
    assert [choice.key for choice in result.questions[0].choices] == ["from_1", "as_written"]


@pytest.mark.parametrize(
    ("name", "text"), [("klassen.txt", "Katze\nHund\n"), ("类别.md", "- 1: Hund\n- 0: Katze\n")]
)
def test_names_of_yolos_numbers_are_found_elsewhere(bench: Bench, name: str, text: str) -> None:
    files = yolo(False)
    del files["data.yaml"]
    result = bench.run(files | {name: text.encode()}, processes=1)
    assert result.summary is not None, (result.problems, result.questions)
    assert [info.name for info in result.summary.classes] == ["Katze", "Hund"]

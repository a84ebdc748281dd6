"""The list of formats, and the table that documents it."""

import re
from pathlib import Path

import pytest

from tests.ingest.formats.family import opened, picture
from trainyard.datasets.record import IngestOptions
from workers.ingest.formats.catalogue import FORMATS, format_named, recognised
from workers.ingest.formats.choice import read_set
from workers.ingest.items import Format
from workers.ingest.problems import ProblemLog, Refused

NAMES = ("a.json", "a.xml", "data.yaml", "labels/a.txt", "label_colors.txt", "meta.json", "ds/ann/a.png.json")
DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "datasets.md"


def test_the_documents_table_has_every_format_in_order_of_trial() -> None:
    section = DOCUMENT.read_text().partition("\n## Formats\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", section, re.MULTILINE)
    assert [name for name, _, _ in rows] == [one.name for one in FORMATS]
    assert all(read.strip() and unread.strip() for _, read, unread in rows)


def test_every_format_has_a_family_test() -> None:
    folder = Path(__file__).parent
    tested = {
        path.stem.removeprefix("test_")
        for path in folder.glob("test_*.py")
        if re.search(r"^class Test\w+\((Format|Box)Family\)", path.read_text(), re.MULTILINE)
    }
    assert tested >= {one.name for one in FORMATS} - {"pictures"}


def test_pictures_take_what_no_other_format_does(tmp_path: Path) -> None:
    with opened(tmp_path, {"images/a.png": picture(), "masks/a.png": picture()}) as source:
        assert recognised(source) == []
        assert read_set(source, IngestOptions(), ProblemLog())[0].name == "pictures"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(Refused, match=r"coco.*pictures") as refusal:
        format_named("cococo")
    assert refusal.value.problem_code == "format_unknown"


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: str(one.name))
def test_odd_files_crash_no_reader(tmp_path: Path, one: Format) -> None:
    """Also where the client names a format that the upload has nothing of."""
    for data in (b"", b"{", b"[]", b"\x00\xff\xfe", b"<a", b"[" * 99_999, b"0 0 0 0 0", b"<annotations/>"):
        log = ProblemLog()
        with opened(tmp_path, {"images/a.png": picture()} | dict.fromkeys(NAMES, data)) as source:
            one.recognises(source)
            found = one.read(source, IngestOptions(), log)
        assert log.problems()
        assert found is not None or log.has_errors

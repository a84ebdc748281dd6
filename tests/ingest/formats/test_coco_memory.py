"""The memory that a COCO file takes does not grow with its text nor with its coordinates."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.ingest.formats.family import picture
from tests.ingest.formats.test_coco import drawn, image

GROWTH = """
import sys
from pathlib import Path
from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import ArchiveLimits
from workers.ingest.formats.coco.reader import Coco
from workers.ingest.problems import ProblemLog
from workers.ingest.upload.open import open_source

def peak():  # of this program alone, in KiB; getrusage begins with the peak of the one that started it
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])

path = Path(sys.argv[1])
with open_source(path, None, path.parent, ArchiveLimits(), ProblemLog()) as source:
    before = peak()
    assert Coco().recognises(source)
    found = Coco().read(source, IngestOptions(), ProblemLog())
    print(sum(len(item.truth.regions) for item in found.items), peak() - before)
"""


def test_peak_memory_is_not_that_of_the_file(tmp_path: Path) -> None:
    """25 MB of JSON, whose coordinates would take 26 MB in memory."""
    corners = [7.5, 0, 6, 3, 0, 3.5, 2, 0.5] * 1000
    annotation = json.dumps(drawn([corners])).encode()
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        head = json.dumps({"categories": [{"id": 1, "name": "x"}], "images": [image()]}).encode()
        text = head[:-1] + b', "annotations": [' + b", ".join([annotation] * 820) + b"]}"
        assert len(text) > 24_000_000
        archive.writestr("c.json", text)
        archive.writestr("a.png", picture())
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, str(path)], capture_output=True, text=True, check=True
    )
    regions, growth = map(int, done.stdout.split())
    assert regions == 820
    assert growth < 12_000, f"{growth} KiB"

"""Stand-ins for what a machine without a GPU lacks: an NVIDIA driver, and a probe of GPUs."""

import json
import subprocess
from pathlib import Path

_PROBE = """
import json, os, time
from pathlib import Path
SCRIPT = Path({script!r})
def work(link, job):
    with open(SCRIPT.with_name("tried"), "a") as tried:
        tried.write(f"{{os.getpid()}}\\n")
    answer = json.loads(SCRIPT.read_text())
    if answer == "hang":
        time.sleep(600)
    if isinstance(answer, int):
        os._exit(answer)
    link.send(answer)
"""
SOUND = {"gpus": [["NVIDIA H200", 150], ["NVIDIA H200", 150]]}
SICK = {"problem": "GPU 0 does not compute.", "remedy": None}

_DRIVER = """
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void note(void) {
    const char *path = getenv("STUB_DRIVER_LOG");
    FILE *log = path ? fopen(path, "a") : 0;
    if (log) { fprintf(log, "%d\\n", getpid()); fclose(log); }
}
int cuInit(unsigned flags) { note(); return 0; }
int cuDriverGetVersion(int *version) { note(); *version = 12040; return 0; }
"""
LOG_VARIABLE = "STUB_DRIVER_LOG"
"""The file that takes a line with the process's number for each time the stub is asked anything."""


class Probe:
    """A probe that answers as it is told to: what it found, an exit code, or never (`hang`)."""

    def __init__(self, folder: Path) -> None:
        """`folder` must be among the paths that modules are imported from."""
        self._script = folder / "answer.json"
        self._tried = folder / "tried"
        self.module = f"probe_{folder.name.replace('-', '_')}"
        (folder / f"{self.module}.py").write_text(_PROBE.format(script=str(self._script)))
        self.answer(SOUND)

    def answer(self, answer: object) -> None:
        self._script.write_text(json.dumps(answer))

    @property
    def pids(self) -> list[int]:
        """The processes that were started."""
        return [int(line) for line in self._tried.read_text().split()] if self._tried.exists() else []


def build_old_driver(folder: Path) -> None:
    """Compile a driver of CUDA 12.4 into the folder, which LD_LIBRARY_PATH is then to name; takes `cc`."""
    source = folder / "driver.c"
    source.write_text(_DRIVER)
    library = folder / "libcuda.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)

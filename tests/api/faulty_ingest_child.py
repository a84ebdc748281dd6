"""An ingest child that fails at the mask FAILS_AT as the script in its set's folder says, or not at all."""

import os
from pathlib import Path

from workers.datasets import child as ingest_child
from workers.ingest.masks.truth import MaskTruth

FAILS_AT = "masks/3.png"


def work(link, job):
    script = Path(job["folder"], "script")
    kind, _, number = (script.read_text() if script.exists() else "").partition(" ")
    rasterize = MaskTruth.rasterize

    def fail(self, read, image):
        if self.file == FAILS_AT and kind:
            if kind == "signal":
                os.kill(os.getpid(), int(number))
            if kind == "exit":
                os._exit(int(number))
            raise {"MemoryError": MemoryError, "ValueError": ValueError, "OSError": OSError}[kind](
                *([int(number), "said so"] if number else [])
            )
        return rasterize(self, read, image)

    MaskTruth.rasterize = fail
    ingest_child.work(link, job)

"""An ingest child that crashes at the mask CRASH_AT, or else once all is read."""

import os
import signal

from workers.datasets import child as ingest_child
from workers.ingest.masks.truth import MaskTruth
from workers.prepared.version import PreparedWriter

CRASH_AT = "masks/3.png"


def work(link, job):
    rasterize = MaskTruth.rasterize

    def crash(self, read, image):
        if self.file == CRASH_AT:
            os.kill(os.getpid(), signal.SIGKILL)
        return rasterize(self, read, image)

    MaskTruth.rasterize = crash
    PreparedWriter.write_index = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
    ingest_child.work(link, job)

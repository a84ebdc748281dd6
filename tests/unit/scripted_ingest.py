"""A child for the tests of the ingest supervisor: ends as the script in its data set's folder says."""

import os
import time
from pathlib import Path

from trainyard.errors import BadDataset
from workers.process.child import FENCED


def work(link, job):
    link.listen(lambda _: None)
    folder = Path(job["folder"])
    script = (folder / "script").read_text()
    if script == "fenced":
        os._exit(FENCED)
    (folder / "begun").touch()
    for done in range(1, 6):
        link.send({"progress": [done, 5]})
        time.sleep(float(script))
    link.send({"error": BadDataset("It came to its end.").to_dict()})

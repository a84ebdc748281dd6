"""A real worker whose child processes follow the scripts in their data sets' folders: `scripted_child`,
`scripted_ingest`."""

import sys

from trainyard.settings import Settings
from workers.__main__ import serve
from workers.datasets import supervisor as ingest_supervisor
from workers.runs import supervisor

TRAINING, INGEST = "tests.unit.scripted_child", "tests.unit.scripted_ingest"

if __name__ == "__main__":
    supervisor.TRAINING_CHILD, ingest_supervisor.INGEST_CHILD = TRAINING, INGEST
    if sys.argv[1:] == ["ingest"]:
        serve(Settings.from_environment(), "ingest", [INGEST], ("ingest",))
    else:
        serve(Settings.from_environment(), "train", [TRAINING], ("cpu",))

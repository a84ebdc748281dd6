"""A real worker whose training process follows the script in its data set's folder: see `scripted_child`."""

from trainyard.settings import Settings
from workers.__main__ import serve
from workers.runs import supervisor

CHILD = "tests.unit.scripted_child"

if __name__ == "__main__":
    supervisor.TRAINING_CHILD = CHILD
    serve(Settings.from_environment(), "train", [CHILD], ("cpu",))

"""`python -m bench.simulated`: a whole training worker whose child processes sleep in place of computing."""

from bench.simulated import engine
from trainyard.settings import Settings
from workers.__main__ import serve
from workers.runs import supervisor
from workers.runs.finishing import finishing_supervisor


def main() -> None:
    """Run it until it is told to stop."""
    child = engine.__name__
    supervisor.TRAINING_CHILD = finishing_supervisor.FINISHING_CHILD = child
    serve(Settings.from_environment(), "train", [child], ("cpu", "finish"))


if __name__ == "__main__":
    main()

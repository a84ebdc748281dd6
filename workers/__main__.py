"""`python -m workers train` or `python -m workers ingest`: one worker, one piece of work at a time."""

import argparse
import os

from trainyard.queue import TASKS
from trainyard.settings import Settings
from workers.tasks import Worker, register


def main() -> None:
    """Run a worker until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("queue", choices=sorted(TASKS))
    queue = parser.parse_args().queue
    worker = Worker.compose(Settings.from_environment())
    register(worker, TASKS[queue])
    worker.app.worker_main(
        [
            "worker",
            f"--queues={queue}",
            f"--hostname={queue}-{os.getpid()}@%h",
            "--pool=threads",
            "--concurrency=1",
            "--loglevel=INFO",
        ]
    )


if __name__ == "__main__":
    main()

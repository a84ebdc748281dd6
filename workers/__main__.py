"""`python -m workers train [CLASS ...]` or `... ingest`: one worker, one piece of work at a time."""

import argparse
import os

from trainyard.catalog import DEVICE_CLASSES
from trainyard.queue import INGEST_QUEUE, INGEST_TASK, TRAIN_TASK
from trainyard.settings import Settings
from workers.child import INGEST_CHILD, TRAINING_CHILD, start_server


def main() -> None:
    """Run a worker until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    roles = parser.add_subparsers(dest="role", required=True)
    train = roles.add_parser("train", help="train runs of these device classes")
    train.add_argument(
        "classes", nargs="*", metavar="CLASS", help=f"{', '.join(DEVICE_CLASSES)}; default: the settings'"
    )
    roles.add_parser("ingest", help="check and prepare data sets")
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    if arguments.role == "ingest":
        serve(settings, "ingest", INGEST_TASK, INGEST_CHILD, (INGEST_QUEUE,))
        return
    if unknown := set(arguments.classes) - set(DEVICE_CLASSES):
        train.error(f"{', '.join(sorted(unknown))}: not among {', '.join(DEVICE_CLASSES)}")
    queues = tuple(arguments.classes) or settings.device_classes
    serve(settings, "train", TRAIN_TASK, TRAINING_CHILD, queues)


def serve(settings: Settings, role: str, task: str, child: str, queues: tuple[str, ...]) -> None:
    """Do the task for these queues, in children of that module, under a name that begins with the role."""
    start_server([child])  # first of all, since what children import takes longest
    from workers.tasks import Worker, register  # in the meantime

    worker = Worker.compose(settings, queues)
    register(worker, task)
    worker.app.worker_main(
        [
            "worker",
            f"--queues={','.join(queues)}",
            f"--hostname={role}-{os.getpid()}@%h",
            "--pool=threads",
            "--concurrency=1",
            "--without-mingle",  # workers share nothing that they would have to ask each other for
            "--without-gossip",
            "--loglevel=INFO",
        ]
    )


if __name__ == "__main__":
    main()

"""`python -m workers train [CLASS ...]` or `... ingest`: one worker, one piece of work at a time.

Training workers also write results, and ingest workers predict, each beside what they are named for.
"""

import argparse
import os
import re
import socket
import sys

from trainyard.catalog.names import DEVICE_CLASSES
from trainyard.errors import DeviceFault, SettingsError
from trainyard.scheduling.attempt_tasks import node_name
from trainyard.scheduling.wake_ups import INGEST_QUEUE
from trainyard.settings import Settings
from trainyard.store.resources.prediction_store import PREDICT_QUEUE
from trainyard.store.runs.run_store import FINISH_QUEUE
from trainyard.tracing import start_tracing
from workers.devices.gpu_check import needs_gpu
from workers.process.child import FINISHING_CHILD, INGEST_CHILD, PREDICT_CHILD, TRAINING_CHILD, start_server
from workers.process.environment import (
    choose_gpus,
    forget_cluster,
    give_caches_a_home,
    grow_memory_in_place,
    name_gpus_by_bus,
    wait_briefly,
)

_GPUS = re.compile(
    r"(\d+|GPU-[0-9A-Za-z-]+|MIG-[0-9A-Za-z/-]+)(,(\d+|GPU-[0-9A-Za-z-]+|MIG-[0-9A-Za-z/-]+))*"
)


def main() -> None:
    """Run a worker until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    roles = parser.add_subparsers(dest="role", required=True)
    train = roles.add_parser("train", help="train runs of these device classes")
    train.add_argument(
        "classes", nargs="*", metavar="CLASS", help=f"{', '.join(DEVICE_CLASSES)}; default: the settings'"
    )
    train.add_argument(
        "--gpu",
        metavar="N",
        help="the GPU to train on, by the number or UUID that nvidia-smi gives it, or several, separated by "
        "commas, for runs on several devices; default: those of CUDA_VISIBLE_DEVICES, or all",
    )
    roles.add_parser("ingest", help="check and prepare data sets, and answer predictions")
    roles.add_parser("predict", help="answer predictions, as ingest workers do")
    roles.add_parser("finish", help="write the reports and exports of trained runs, as training workers do")
    arguments = parser.parse_args()
    # Before the server of children starts: they have its environment.
    forget_cluster(os.environ)
    name_gpus_by_bus(os.environ)
    grow_memory_in_place(os.environ)
    give_caches_a_home(os.environ)
    wait_briefly(os.environ)
    settings = Settings.from_environment()
    if arguments.role == "ingest":
        serve(settings, "ingest", [INGEST_CHILD, PREDICT_CHILD], (INGEST_QUEUE, PREDICT_QUEUE))
        return
    if arguments.role == "predict":
        serve(settings, "predict", [PREDICT_CHILD], (PREDICT_QUEUE,))
        return
    if arguments.role == "finish":
        serve(settings, "finish", [FINISHING_CHILD], (FINISH_QUEUE,))
        return
    if unknown := set(arguments.classes) - set(DEVICE_CLASSES):
        train.error(f"{', '.join(sorted(unknown))}: not among {', '.join(DEVICE_CLASSES)}")
    queues = tuple(arguments.classes) or settings.device_classes
    if arguments.gpu is not None:
        _choose(train, arguments.gpu, queues)
    serve(settings, "train", [TRAINING_CHILD, FINISHING_CHILD], (*queues, FINISH_QUEUE))


def _choose(parser: argparse.ArgumentParser, gpus: str, queues: tuple[str, ...]) -> None:
    """Show this worker those GPUs alone; ends the process where that makes no sense."""
    if not _GPUS.fullmatch(gpus):
        parser.error(
            f"--gpu {gpus}: give numbers, as 0 or 0,1, or UUIDs, as GPU-...: `nvidia-smi -L` lists both"
        )
    if not any(map(needs_gpu, queues)):
        parser.error(f"--gpu: {', '.join(queues)} trains on the processor; name the class gpu as well")
    choose_gpus(os.environ, gpus)


def serve(settings: Settings, role: str, children: list[str], queues: tuple[str, ...]) -> None:
    """Work these queues off, in children of those modules, under a name that begins with the role."""
    start_server(children)  # first of all, since what children import takes longest
    from workers.tasks import Worker, register  # in the meantime

    node = node_name(role, os.getpid(), socket.gethostname())
    try:
        worker = Worker.compose(settings, queues, node)
    except (DeviceFault, SettingsError) as error:
        sys.exit(f"This worker does not start: {error.message} {error.remedy}")
    register(worker, queues)
    start_tracing(settings.otlp_endpoint, "trainyard-worker")
    worker.app.worker_main(
        [
            "worker",
            f"--queues={','.join(queues)}",
            f"--hostname={node}",
            "--pool=threads",
            "--concurrency=1",
            "--without-mingle",  # workers share nothing that they would have to ask each other for
            "--without-gossip",
            "--loglevel=INFO",
        ]
    )


if __name__ == "__main__":
    main()

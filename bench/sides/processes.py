"""What the sides of a task's comparison share: the engine's runs, and a process that is one side."""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.measures.turns import Turn, take_turns
from trainyard.runs.events import EpochEnd, Event
from trainyard.runs.signals import Signals
from trainyard.spec.training_spec import TrainingSpec
from workers.training.fit import fit_epochs
from workers.training.job import TrainingJob

Side = Callable[[Path, Path, int], Callable[[], Turn]]
"""Makes a side of the folders of pictures and of the prepared set, and of the number of threads."""


def engine_turns(spec: TrainingSpec, prepared: Path, threads: int) -> Callable[[], Turn]:
    """Runs of the engine, as a worker's child trains them; a turn is the last epoch of one."""

    def turn() -> Turn:
        found: list[float] = []

        def take(event: Event) -> None:
            if isinstance(event, EpochEnd):
                found.append(event.metrics["images_per_second"])

        with tempfile.TemporaryDirectory() as folder:
            job = TrainingJob(
                run_id="run-000000000000",
                spec=spec,
                epochs=spec.epochs,
                folder=Path(folder),
                prepared=prepared,
                weights_file=None,
                threads=threads,
                device_class="cpu",
            )
            fit_epochs(job, take, Signals)
        return {"images_per_second": found[-1]}

    return turn


def be_one(module: str, about: str | None, sides: Mapping[str, Side]) -> None:
    """Be the side that the command line names."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{module}", description=about)
    parser.add_argument("side", choices=sides)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    asked = parser.parse_args()
    take_turns(sides[asked.side](asked.pictures.resolve(), asked.prepared.resolve(), asked.threads))

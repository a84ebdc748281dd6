"""What the cluster works on: light real trainings, submitted over HTTP so that the queue never runs dry."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from tests.chaos.client import Client, Impatient
from tests.chaos.wishes import Wishes
from tests.waits import Limit

LOOK_S = 0.5


TASKS = ("segmentation", "classification", "detection")
"""What runs learn, by their seeds in turn."""
_ARCHITECTURES = {"segmentation": "PSPNet", "classification": "Classifier", "detection": "SSDlite"}


def spec(seed: int, epochs: int) -> dict[str, Any]:
    """A run whose epochs take a fraction of a second of computing, the same bits for the same seed; the task
    goes by the seed."""
    task = TASKS[seed % len(TASKS)]
    return {
        "task": task,
        "model": {"architecture": _ARCHITECTURES[task], "encoder": "tu-test_resnet"},
        "data": {"image_size": 64 if task == "detection" else 32, "batch_size": 2},
        "augmentation": {"preset": "light"},
        "export": {"onnx": False},
        "compute": {"deterministic": True},
        "precision": "32",
        "epochs": epochs,
        "seed": seed,
    }


class Load(threading.Thread):
    """Submits runs on the `datasets` of their tasks, `width` of them open at any time, until it is told to
    stop. The width may be changed.

    `accepted` maps the id of every run that the API has answered for to its seed; `wishes` are what clients
    ask of some of them later.
    """

    def __init__(
        self, client: Client, datasets: Mapping[str, str], *, width: int, seeds: int, epochs: int
    ) -> None:
        super().__init__(daemon=True)
        self.accepted: dict[str, int] = {}
        self.trouble: list[str] = []
        self.wishes = Wishes(client)
        self._client = client
        self._datasets = datasets
        self.width = width
        self._seeds = seeds
        self._epochs = epochs
        self._open: dict[str, int] = {}
        self._stopped = threading.Event()
        self._patience = Limit(0.0)

    def run(self) -> None:
        """The thread's work."""
        try:
            while self._is_wanted():
                time.sleep(LOOK_S)
                self._look()
                while len(self._open) < self.width and self._is_wanted():
                    self._submit()
            while self._open and not self._patience.has_passed:
                self._look()
                time.sleep(LOOK_S)
            self.wishes.settle()
        except Impatient as error:
            self.trouble.append(str(error))

    def _is_wanted(self) -> bool:
        """Until it is told to stop, and then until each kind of wish was granted, or patience is over."""
        if not self._stopped.is_set():
            return True
        return not (self.wishes.were_granted or self._patience.has_passed)

    def _look(self) -> None:
        """Ask what is wished by now, and forget the runs that are over."""
        self.wishes.settle()
        over = [run_id for run_id, number in self._open.items() if self.wishes.is_over(number, run_id)]
        for run_id in over:
            del self._open[run_id]

    def stop(self, patience_s: float) -> None:
        """Submit no more than wishes need; the thread ends once every run is over, or patience is."""
        self._patience = Limit(patience_s)
        self._stopped.set()

    def _submit(self) -> None:
        number = len(self.accepted)
        seed = number % self._seeds
        wanted = spec(seed, self._epochs)
        run_id = self._client.submit(f"run-{number}", self._datasets[wanted["task"]], wanted)
        if run_id in self.accepted:
            self.trouble.append(f"{run_id} answers to two keys")
        self.accepted[run_id] = seed
        self._open[run_id] = number

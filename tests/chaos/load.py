"""What the yard works on: light real trainings, submitted over HTTP so that the queue never runs dry."""

import threading
from typing import Any

from tests.chaos.client import SETTLED, Client, Impatient

LOOK_S = 0.5


def spec(seed: int, epochs: int) -> dict[str, Any]:
    """A run whose epochs take a fraction of a second of computing, the same bits for the same seed."""
    return {
        "model": {"architecture": "PSPNet", "encoder": "tu-test_resnet"},
        "data": {"image_size": 32, "batch_size": 2},
        "augmentation": {"preset": "light"},
        "export": {"onnx": False},
        "compute": {"deterministic": True},
        "precision": "32",
        "epochs": epochs,
        "seed": seed,
    }


class Load(threading.Thread):
    """Submits runs, `width` of them open at any time, until it is told to stop. The width may be changed.

    `accepted` maps the id of every run that the API has answered for to its seed.
    """

    def __init__(self, client: Client, dataset: str, *, width: int, seeds: int, epochs: int) -> None:
        super().__init__(daemon=True)
        self.accepted: dict[str, int] = {}
        self.trouble: list[str] = []
        self._client = client
        self._dataset = dataset
        self.width = width
        self._seeds = seeds
        self._epochs = epochs
        self._open: list[str] = []
        self._stopped = threading.Event()

    def run(self) -> None:
        """The thread's work."""
        try:
            while not self._stopped.wait(LOOK_S):
                self._open = [run for run in self._open if self._client.run(run)["status"] not in SETTLED]
                while len(self._open) < self.width and not self._stopped.is_set():
                    self._submit()
        except Impatient as error:
            self.trouble.append(str(error))

    def stop(self) -> None:
        """Submit no more; returns when the last submission is answered."""
        self._stopped.set()
        self.join()

    def _submit(self) -> None:
        number = len(self.accepted)
        seed = number % self._seeds
        run_id = self._client.submit(f"run-{number}", self._dataset, spec(seed, self._epochs))
        if run_id in self.accepted:
            self.trouble.append(f"{run_id} answers to two keys")
        self.accepted[run_id] = seed
        self._open.append(run_id)

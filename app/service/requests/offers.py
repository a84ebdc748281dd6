"""What the plug-ins of living workers offer, and whether a run or a data set asks for no more."""

from trainyard.errors import InvalidRequest
from trainyard.plugins.offers import Offer, is_offered_name
from trainyard.plugins.spec_offers import asked_of_plugins, check_offers
from trainyard.scheduling.wake_ups import INGEST_QUEUE
from trainyard.spec.training_spec import TrainingSpec
from trainyard.store.processes.workers import WorkerStore


class OfferService:
    """Answers by the last signs of life of the workers."""

    def __init__(self, workers: WorkerStore) -> None:
        self._workers = workers

    def all(self) -> list[Offer]:
        """Each thing that some worker offers, by kind and name."""
        found = {offer.key: offer for worker in self._workers.all() for offer in worker.offers}
        return [found[key] for key in sorted(found)]

    def check_run(self, spec: TrainingSpec, device_class: str) -> None:
        """Raise InvalidRequest, naming the field, where the spec asks plug-ins for what no worker of that
        class offers, or for what does not go together."""
        if any(asked_of_plugins(spec)) or is_offered_name(spec.model.encoder):
            check_offers(spec, self._of_queue(device_class), f"worker of the class {device_class}")

    def check_format(self, name: str | None) -> None:
        """Raise InvalidRequest where a data set is of a format that no ingest worker can read."""
        if name is None or not is_offered_name(name):
            return
        formats = sorted(offer.name for offer in self._of_queue(INGEST_QUEUE) if offer.kind == "format")
        if name not in formats:
            raise InvalidRequest(
                f"No ingest worker offers the format {name!r}.",
                errors={"format": [f"{', '.join(formats) or 'none'} of plug-ins, or one of Trainyard's own"]},
            )

    def _of_queue(self, queue: str) -> list[Offer]:
        serving = (worker for worker in self._workers.all() if queue in worker.queues)
        return [offer for worker in serving for offer in worker.offers]

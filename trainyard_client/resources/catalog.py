"""What may be asked for: architectures, encoders, experiments, and the other names of a spec."""

from trainyard_client.decoding import decode
from trainyard_client.records import Architecture, Catalogue, Experiment
from trainyard_client.transport import Transport

ROOT = "/api/v1"


class Catalog:
    """The names that a spec takes: architectures and what goes with them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def architectures(self) -> list[Architecture]:
        """All of them, with their rules of size."""
        items = self._transport.json("GET", f"{ROOT}/models")["items"]
        return [decode(Architecture, item) for item in items]

    def encoders(self, search: str | None = None) -> list[str]:
        """Names of encoders that hold the text."""
        query = {"search": search} if search else {}
        names: list[str] = self._transport.json("GET", f"{ROOT}/encoders", params=query)["items"]
        return names

    def experiments(self) -> list[Experiment]:
        """The ready specs."""
        items = self._transport.json("GET", f"{ROOT}/experiments")["items"]
        return [decode(Experiment, item) for item in items]

    def catalogue(self) -> Catalogue:
        """The other names that a spec takes."""
        return decode(Catalogue, self._transport.json("GET", f"{ROOT}/catalog"))

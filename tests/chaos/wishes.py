"""Clients that change their minds: some runs are cancelled as they train, some are stopped and resumed."""

from tests.chaos.client import SETTLED, Client

WISHES = {0: "stop", 1: "cancel"}
"""What is wished of a run, by its number in a round; of the others nothing."""
ROUND = 4


def wish_of(number: int) -> str | None:
    """What clients will wish of the run of that number."""
    return WISHES.get(number % ROUND)


class Wishes:
    """`cancelled` and `resumed` are the runs of which the API has granted it."""

    def __init__(self, client: Client) -> None:
        self.cancelled: set[str] = set()
        self.resumed: set[str] = set()
        self._client = client
        self._failed: set[str] = set()

    @property
    def were_granted(self) -> bool:
        """Whether each kind of wish was granted once; outages may take a wish with them, or last as long as a
        run does."""
        return bool(self.cancelled and self.resumed)

    def is_over(self, number: int, run_id: str) -> bool:
        """Whether nothing more will come of the run; tells the API what is wished of it by now."""
        run = self._client.run(run_id)
        if run["epoch"] > 0 and run["status"] == "running":
            self._ask(wish_of(number), run_id)
        if run["status"] == "stopped":
            self._resume(run_id)
            return False
        return run["status"] in SETTLED

    def resume_failed(self, run_id: str) -> None:
        """Wish that a run which has failed goes on; safe from any thread."""
        self._failed.add(run_id)

    def settle(self) -> None:
        """Ask for what is still open."""
        while self._failed:
            self._resume(self._failed.pop())

    def _ask(self, wish: str | None, run_id: str) -> None:
        if wish == "cancel" and run_id not in self.cancelled and self._client.ask(run_id, "cancel"):
            self.cancelled.add(run_id)
        if wish == "stop" and run_id not in self.resumed:  # again, where an emptied Redis forgot it
            self._client.ask(run_id, "stop")

    def _resume(self, run_id: str) -> None:
        if self._client.ask(run_id, "resume"):
            self.resumed.add(run_id)

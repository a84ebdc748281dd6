"""The place of a process among those that train one run together on one machine."""

from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment


class Rank(ClusterEnvironment):
    """Rank `rank` of `world` processes, which meet at `port` of the loopback address."""

    def __init__(self, rank: int, world: int, port: int) -> None:
        super().__init__()
        self._rank = rank
        self._world = world
        self._port = port

    @property
    def is_first(self) -> bool:
        """Whether this is the process that reports, writes and is told of signals."""
        return self._rank == 0

    @property
    def creates_processes_externally(self) -> bool:
        """Lightning shall start no processes: it would run this program's command line again."""
        return True

    @property
    def main_address(self) -> str:
        return "127.0.0.1"

    @property
    def main_port(self) -> int:
        return self._port

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self._world

    def set_world_size(self, size: int) -> None:
        """Lightning's own count, which is the one given here."""

    def global_rank(self) -> int:
        return self._rank

    def set_global_rank(self, rank: int) -> None:
        """Lightning's own count, which is the one given here."""

    def local_rank(self) -> int:
        return self._rank

    def node_rank(self) -> int:
        return 0


ALONE = Rank(0, 1, 0)
"""The only process of its run."""

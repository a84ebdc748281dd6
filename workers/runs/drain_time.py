"""How long a training process may take to save and leave when its worker shuts down."""

from trainyard.runs.events import CheckpointSaved

BATCH_S = 15.0
"""For the batch under way, and for what is copied from the device."""
FIRST_SAVE_S = 60.0
"""For a first checkpoint, of which nobody knows the size yet."""
SLOW_STORAGE = 50e6
"""Bytes per second of storage that has not been measured: a slow network file system."""
RESERVE = 2.0
"""Storage may be slower than it was: when workers shut down, all of them save."""


class DrainTime:
    """Grows with the size of the last checkpoint over the speed at which storage took it."""

    def __init__(self, saved_bytes: int | None) -> None:
        """`saved_bytes` is the size of an earlier attempt's checkpoint, None without one."""
        self._bytes = saved_bytes
        self._bytes_per_s = SLOW_STORAGE

    def note(self, saved: CheckpointSaved) -> None:
        """Take the size and the time of a save."""
        self._bytes = saved.bytes
        if saved.seconds:
            self._bytes_per_s = saved.bytes / saved.seconds

    @property
    def seconds(self) -> float:
        """From the order to leave to the end of patience."""
        save = FIRST_SAVE_S if self._bytes is None else RESERVE * self._bytes / self._bytes_per_s
        return BATCH_S + save

"""Whether the server is about to stop, which streams without end must notice."""

from collections.abc import Callable


class Shutdown:
    """Asked by streams at least once a second."""

    def __init__(self) -> None:
        self._is_near: Callable[[], bool] = lambda: False

    def when(self, is_near: Callable[[], bool]) -> None:
        """The server says how to tell."""
        self._is_near = is_near

    @property
    def is_near(self) -> bool:
        """Whether streams are to end now."""
        return self._is_near()

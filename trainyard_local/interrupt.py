"""Ctrl-C while training: the first one stops it and keeps the work, a second one ends at once."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

from trainyard.runs.signals import Signals

STOPPING = "Stopping after this batch, and saving; Ctrl-C again ends at once."


class Interrupt:
    """The signals of a training that its user may interrupt, to be handed to the engine.

    Handlers are put in place in the main thread alone: elsewhere Python takes none.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._signals = Signals()
        self._before: dict[int, Any] = {}

    def __call__(self) -> Signals:
        return self._signals

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._signals = Signals(stop="now", stop_version=1)
        self._restore()
        self._tell(STOPPING)

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

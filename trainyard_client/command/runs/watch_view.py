"""How a run that is watched looks: a line for each epoch, a bar, time left as a range, a sparkline."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trainyard_client.command.runs.scores import HEADLINES
from trainyard_client.command.terminal.output import shown_seconds

if TYPE_CHECKING:
    from rich.console import RenderableType

BARS = "▁▂▃▄▅▆▇█"
FINISHING = "finishing"
"""The status of a run that is trained, and whose report and exported files are being written."""
SPARKS = 40
"""Points of the sparkline: the latest epochs."""
SCORES = {"train_loss": "train loss", "val_loss": "val loss", **HEADLINES}.items()
"""What a line of an epoch shows, as far as the epoch has it."""


class WatchView:
    """The live part, drawn anew as events come."""

    def __init__(self, name: str, epochs: int, monitor: str) -> None:
        self._name = name
        self._epochs = epochs
        self._monitor = monitor
        self._values: list[float] = []
        self._progress: Mapping[str, Any] = {}
        self._status = ""

    def add(self, name: str, data: Mapping[str, Any]) -> None:
        """Take an event in."""
        if name == "progress":
            self._progress, self._epochs = data, data.get("epochs") or self._epochs
        elif name == "status":
            self._status = str(data.get("status") or "")
            self._progress = {}  # what was last heard is of the status before
        elif name == "epoch":
            value = (data.get("metrics") or {}).get(self._monitor)
            if isinstance(value, int | float):
                self._values.append(float(value))

    def __rich__(self) -> "RenderableType":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        row = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=1.0, completed=self.share(), width=30)
        row.add_row(Text(self._name), Text(self.stage()), bar, Text(self.time_left()))
        return Group(row, Text(self.figures()))

    def share(self) -> float:
        """What part of all epochs is trained, 0 to 1."""
        if self._status == FINISHING:
            return 1.0
        done, steps = float(self._progress.get("epoch") or 1) - 1, self._progress.get("steps_per_epoch")
        step = float(self._progress.get("step") or 0)
        trained = step / steps if steps else done
        return min(1.0, max(0.0, trained / self._epochs)) if self._epochs else 0.0

    def stage(self) -> str:
        """What it is doing."""
        if not self._progress:
            return self._status
        if self._status == FINISHING:
            return f"{self._status}: {self._progress.get('stage')}"
        return f"{self._progress.get('stage')} {self._progress.get('epoch')}/{self._epochs}"

    def time_left(self) -> str:
        """The time to its end as a range, once that is known."""
        low, high = self._progress.get("eta_low_seconds"), self._progress.get("eta_high_seconds")
        if low is None or high is None:
            return ""
        least, most = shown_seconds(low), shown_seconds(high)
        return f"{least} left" if least == most else f"{least} to {most} left"

    def figures(self) -> str:
        """Loss and speed as they are, and the monitored metric by epoch."""
        parts = []
        if isinstance(loss := self._progress.get("loss"), int | float):
            parts.append(f"loss {loss:.4f}")
        if isinstance(speed := self._progress.get("images_per_second"), int | float):
            parts.append(f"{speed:.0f} images/s")
        if self._values:
            parts.append(f"{self._monitor} {self._values[-1]:.4f} {sparkline(self._values[-SPARKS:])}")
        return "  ".join(parts)


def sparkline(values: Sequence[float]) -> str:
    """The values as bars between the lowest and the highest of them."""
    low, high = min(values), max(values)
    if high <= low:
        return BARS[0] * len(values)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in values)


def epoch_line(row: Mapping[str, Any]) -> str:
    """One finished epoch; what an epoch does not have is left out."""
    scores = [f"{text} {row[name]:.4f}" for name, text in SCORES if isinstance(row.get(name), int | float)]
    speed = row.get("images_per_second")
    parts = [f"epoch {row.get('epoch', '?'):>3}", *scores]
    return "  ".join([*parts, f"{speed:.0f} images/s"] if isinstance(speed, int | float) else parts)


def event_line(name: str, data: Mapping[str, Any]) -> str | None:
    """What else is worth a line."""
    if name == "notice":
        return f"notice: {data.get('message')}"
    if name == "signal":
        where = f"epoch {data.get('epoch')}, step {data.get('step')}"
        return f"{data.get('signal')} ({data.get('value')}) took effect at {where}"
    if name == "status":
        return f"status: {data.get('status')}"
    if name == "began":
        return f"training on {data.get('device')} from epoch {data.get('epoch')}"
    return None

"""`make demo [DATA=folder-or-zip]`: the whole path on this machine, as a client sees it.

Starts a stack of its own under var/demo, uploads a data set, trains, shows the epochs as they end, prints
what came out, and stops everything it started.
"""

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.processes.ports import REDIS_VARIABLE
from deploy.redis import free_port
from deploy.synthetic import CLASSES, write_synthetic
from trainyard.settings import REPOSITORY
from trainyard_client import Client, TrainyardError
from trainyard_client.command.runs.watch_view import epoch_line
from trainyard_client.records import Dataset, Run

FOLDER = REPOSITORY / "var" / "demo"
START_S = 60.0
STOP_S = 120.0
"""How long the stack may take to end: its worker saves first."""
EXPERIMENT = "demo"
PAIR_FOLDERS = {"images", "masks"}


class DemoFailed(Exception):
    """The stack did not do what was asked; the message says what it said."""


def main() -> int:
    """Run the demo; the exit code says whether it worked."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the stack is stopped
    console = Console()
    started = time.monotonic()
    FOLDER.mkdir(parents=True, exist_ok=True)
    upload, name, classes = _upload(console, sys.argv[1] if len(sys.argv) > 1 else None)
    port = free_port()
    with _stack(port) as is_alive, Client(f"http://127.0.0.1:{port}") as client:
        try:
            client.wait_until_ready(START_S, is_alive)
            console.print(f"Stack is up at http://127.0.0.1:{port}/docs  (its log: {FOLDER / 'stack.log'})")
            dataset = _ingested(client, upload, name, classes)
            _show_dataset(console, dataset)
            run = _train(console, client, dataset.id)
        except (DemoFailed, TrainyardError) as error:
            console.print(f"[red]{escape(str(error))}[/red]\nThe log of the stack: {FOLDER / 'stack.log'}")
            return 1
        _show_run(console, run, name)
    console.print(f"Done in {time.monotonic() - started:.0f} s; everything that was started is stopped.")
    return 0


def _upload(console: Console, data: str | None) -> tuple[Path, str, dict[int, str] | None]:
    """The archive to upload, its name, and its classes where they are known."""
    if data is None:
        path = FOLDER / "synthetic.zip"
        write_synthetic(path)
        console.print("Data: [bold]synthetic[/bold] (drawn for this demo: discs and boxes on noise)")
        return path, "synthetic", CLASSES
    source = Path(data)
    if source.is_file():
        return source, source.stem, None
    path = FOLDER / f"{source.resolve().name}.zip"
    _zip_folder(source, path)
    console.print(f"Data: [bold]{source.resolve().name}[/bold]")
    return path, source.resolve().name, None


def _zip_folder(source: Path, path: Path) -> None:
    """Pack a folder as it is; of one that holds images/ and masks/ only those and classes.json."""
    if not source.is_dir():
        raise SystemExit(f"There is no folder or zip {source}.")
    paired = {child.name for child in source.iterdir()} >= PAIR_FOLDERS
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(source.rglob("*")):
            inside = file.relative_to(source)
            wanted = inside.parts[0] in PAIR_FOLDERS | {"classes.json"} or not paired
            if file.is_file() and wanted:
                archive.write(file, str(inside))


@contextmanager
def _stack(port: int) -> Iterator[Callable[[], bool]]:
    """The stack on that port, with storage of its own; yields whether it lives, and ends all of it after."""
    environment = {
        **os.environ,
        "TRAINYARD_PORT": str(port),
        REDIS_VARIABLE: str(free_port()),
        "TRAINYARD_STORAGE": str(FOLDER / "storage"),
    }
    command = [sys.executable, "-m", "deploy.stack", "redis", "web", "worker", "ingest"]
    with (FOLDER / "stack.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield lambda: process.poll() is None
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _ingested(client: Client, upload: Path, name: str, classes: dict[int, str] | None) -> Dataset:
    """Send a data set and wait until it is ready."""
    dataset = client.datasets.wait(client.datasets.upload(upload, name, project="demo", classes=classes).id)
    if dataset.status != "ready":
        problems = "\n".join(f"{one.file}: {one.message} {one.remedy}" for one in dataset.problems)
        raise DemoFailed(f"The data set cannot be used: it is {dataset.status}.\n{problems}")
    return dataset


def _train(console: Console, client: Client, dataset_id: str) -> Run:
    """Submit, follow the event stream with a bar, and return the run as it ended."""
    run = client.runs.submit(dataset_id, experiment=EXPERIMENT, name="demo")
    console.print(f"Run {run.id} is queued.")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("epochs", total=run.epochs)
        for event in client.runs.events(run.id):
            if event.name == "epoch":
                bar.update(task, completed=event.data["epoch"])
                bar.console.print(epoch_line(event.data["metrics"]))
            elif event.name == "progress" and event.data["stage"] in ("report", "export"):
                bar.update(task, description=event.data["stage"])
    run = client.runs.get(run.id)
    if run.status != "completed":
        raise DemoFailed(f"The run ended {run.status}: {run.error}")
    return run


def _score(value: float | None) -> str:
    """With four digits, or a dash for an epoch or a class without one."""
    return "-" if value is None else f"{value:.4f}"


def _show_dataset(console: Console, dataset: Dataset) -> None:
    summary = dataset.summary
    assert summary is not None  # noqa: S101 - a set that is ready has one
    table = Table(title=f"{dataset.name}: {summary.images} images, {summary.splits}")
    for column in ("class", "share of pixels", "images"):
        table.add_column(column)
    for info in summary.classes:
        table.add_row(info.name, f"{info.share:.1%}", str(info.images))
    console.print(table)
    for problem in dataset.problems:
        console.print(f"{problem.severity}: {problem.file or ''} {problem.message}")


def _show_run(console: Console, run: Run, name: str) -> None:
    result = run.result or {}
    best = result["best"]
    folder = FOLDER / "storage" / "runs" / run.id
    table = Table(title=f"{name}{' (synthetic data)' if name == 'synthetic' else ''}: run {run.id}")
    table.add_column("what")
    table.add_column("value")
    table.add_row("best epoch", f"{result['best_epoch']} of {run.epoch}")
    table.add_row("val mIoU", _score(best["val_miou"]))
    for key, value in best.items():
        if key.startswith("val_iou/"):
            table.add_row(f"  IoU {key.removeprefix('val_iou/')}", _score(value))
    table.add_row("images/s", f"{result['images_per_second']:.1f}")
    table.add_row("ONNX against torch", f"largest difference {result['export']['max_difference']:.1e}")
    console.print(table)
    for what, file in (
        ("best checkpoint", folder / "checkpoints" / "best.ckpt"),
        ("ONNX", folder / "export" / "model.onnx"),
        ("image | truth | prediction", folder / "figures" / "overlay.png"),
    ):
        if not file.is_file():
            raise SystemExit(f"{file} was not written.")
        console.print(f"{what}: {file}", soft_wrap=True)


if __name__ == "__main__":
    raise SystemExit(main())

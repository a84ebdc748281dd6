"""The process that takes in an experiment: what crashes a reader ends it, and not the worker."""

import signal
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainyard.errors import HostOutOfMemory, TrainyardError
from trainyard.library.import_job import ClaimedRun
from trainyard.runs.metric_summary import summarize
from trainyard.storage.files import RunFolder, Storage
from trainyard.storage.metric_rows import write_rows
from workers.imports.archive import opened
from workers.imports.checkpoints import take_checkpoints
from workers.imports.claims import Claims, is_number, read_claims
from workers.imports.exports import take_export
from workers.imports.history import take_history
from workers.process.child import Link, Message


def work(link: Link, job: Message) -> None:
    """Lay out the run's folder, and send what is claimed of it as `result`, or an `error`."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    link.listen(lambda _: None)
    folder = Storage(Path(job["storage"])).prediction(job["id"])
    try:
        claimed = take_in(folder.received.upload, folder.run, job["max_bytes"])
    except TrainyardError as error:
        link.send({"error": error.to_dict()})
    except MemoryError:
        link.send({"error": HostOutOfMemory("The process could get no more memory.").to_dict()})
    else:
        link.send({"result": asdict(claimed)})


def take_in(archive: Path, folder: RunFolder, max_bytes: int) -> ClaimedRun:
    """Check all files of the experiment in an archive, and write them as those of a run.

    They lie under the attempt that its record names, as what a worker has trained. Raises InvalidRequest for
    what is none or does not go together, and StorageUnavailable.
    """
    now = time.time()
    with opened(archive, max_bytes) as files:
        claims = read_claims(files, now)
        run = claims.run
        checkpoints = take_checkpoints(files, claims, folder)
        has_results = take_history(files, run, folder, now)
        export = take_export(files, run, folder) if has_results else None
    write_rows(folder, run.fence, claims.rows)
    summary = summarize(claims.rows, run.spec.checkpoints.monitor)
    return ClaimedRun(
        run_id=run.id,
        name=run.name,
        revision=run.revision,
        created_at=run.created_at,
        status=run.status,
        dataset_hash=run.dataset_hash,
        experiment=run.experiment,
        spec=run.spec,
        epochs=run.epochs,
        epoch=run.epoch,
        step=run.step,
        used_seconds=run.used_seconds,
        fence=run.fence,
        attempts=run.attempts,
        checkpoints=checkpoints,
        notices=run.notices,
        has_results=has_results,
        forked_from=run.forked_from,
        result=_result(claims, summary["best_row"], export),
        **summary,
    )


def _result(claims: Claims, best_row: Any, export: dict[str, Any] | None) -> dict[str, Any]:
    """As training returns it, of what the rows say."""
    run, speed = claims.run, (claims.run.result or {}).get("images_per_second")
    best = next((row for row in claims.rows if best_row and row["epoch"] == best_row["epoch"]), {})
    return {
        "status": run.status,
        "target": run.epochs,
        "epoch": run.epoch,
        "step": run.step,
        "best_epoch": best.get("epoch"),
        "best": dict(best),
        "images_per_second": speed if is_number(speed) else None,
        "export": export,
    }

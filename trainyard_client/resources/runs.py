"""Runs: submitting, reading and changing them."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from trainyard_client.decoding import decode
from trainyard_client.downloads import Progress, download, nothing
from trainyard_client.errors import Refused
from trainyard_client.events import Event, follow
from trainyard_client.records import Artifact, CheckedRun, Checkpoint, EpochOverlay, Run, RunItem
from trainyard_client.resources.paging import every, given
from trainyard_client.resources.polling import until
from trainyard_client.transport import KEY_HEADER, Transport
from trainyard_client.uploads import upload_experiment

ROOT = "/api/v1/runs"
POLL_S = 1.0
ENDED = ("completed", "stopped", "failed", "cancelled")


class Runs:
    """Submit, watch, change, take away."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def submit(
        self,
        dataset_id: str,
        *,
        experiment: str | None = None,
        spec: Mapping[str, Any] | None = None,
        key: str | None = None,
        **fields: Any,
    ) -> Run:
        """Queue a run: an experiment with `spec` laid over it, or a spec of its own.

        `fields` are name, project, notes, priority, max_hours and device_class. Without a `key` of yours the
        call gets one, so that a broken line makes no second run. Raises TrainyardError.
        """
        body = {"dataset_id": dataset_id, **given({"experiment": experiment, "spec": spec, **fields})}
        headers = {KEY_HEADER: key or uuid.uuid4().hex}
        return decode(Run, self._transport.json("POST", ROOT, json=body, headers=headers))

    def import_experiment(
        self, folder: Path | str, *, key: str | None = None, progress: Progress = nothing, **fields: Any
    ) -> Run:
        """Hand over an experiment of `trainyard train`; the run, which has ended.

        `fields` are name, project, notes, tags, group and dataset_id. The same experiment as it now stands,
        with the same fields, is the same run, unless a `key` of yours says otherwise. Raises TrainyardError.
        """
        from trainyard_client.archives import packed_experiment, read_experiment  # no other call needs tar

        experiment, asked = read_experiment(Path(folder)), given(fields)
        with packed_experiment(experiment) as archive:
            made = upload_experiment(
                self._transport, f"{ROOT}/import", asked, archive, key or experiment.key(asked), progress
            )
        return decode(Run, made)

    def check(
        self,
        dataset_id: str,
        *,
        experiment: str | None = None,
        spec: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> CheckedRun:
        """What `submit` would queue, without doing it; raises what that would."""
        body = {"dataset_id": dataset_id, **given({"experiment": experiment, "spec": spec, **fields})}
        return decode(CheckedRun, self._transport.json("POST", f"{ROOT}/check", json=body, repeatable=True))

    def list(self, *, project: str | None = None, status: str | None = None) -> Iterator[RunItem]:
        """All of them, newest first."""
        return every(self._transport, ROOT, RunItem, {"project": project, "status": status})

    def get(self, run_id: str) -> Run:
        """One run: its record, and where it stands."""
        return decode(Run, self._transport.json("GET", f"{ROOT}/{run_id}"))

    def events(
        self, run_id: str, *, after: str | None = None, kinds: Sequence[str] | None = None
    ) -> Iterator[Event]:
        """What happened and happens, to the run's end; goes on by itself when the line breaks.

        `kinds` are those of events that are wanted, all by default; `log`, lines of its log, must be named.
        """
        query = f"?kinds={quote(','.join(kinds))}" if kinds else ""
        return follow(self._transport, f"{ROOT}/{run_id}/events{query}", after)

    def wait(self, run_id: str, *, epoch: int | None = None, seconds: float | None = None) -> Run:
        """The run once it has ended, or finished so many epochs; raises TimeoutError after `seconds`.

        A server that goes away is waited for, two minutes at most.
        """
        return until(
            self._transport,
            lambda: self.get(run_id),
            lambda run: run.status in ENDED or (epoch is not None and run.epoch >= epoch),
            poll_s=POLL_S,
            seconds=seconds,
        )

    def change(self, run_id: str, **changes: Any) -> Run:
        """Change epochs, also while it trains, name, notes, priority, max_hours or dataset_id."""
        return decode(Run, self._transport.json("PATCH", f"{ROOT}/{run_id}", json=changes))

    def stop(self, run_id: str, when: str = "now") -> Run:
        """Stop it and keep its work: `now`, after the present batch, or after the present `epoch`."""
        return self._act(run_id, "stop", {"when": when})

    def cancel(self, run_id: str) -> Run:
        """Throw it away."""
        return self._act(run_id, "cancel")

    def resume(self, run_id: str, epochs: int | None = None) -> Run:
        """Let it go on from its last checkpoint, with another target where one is given."""
        return self._act(run_id, "resume", given({"epochs": epochs}))

    def retry(self, run_id: str) -> Run:
        """Let a failed run begin afresh."""
        return self._act(run_id, "retry")

    def export(self, run_id: str, **options: bool) -> Run:
        """Have a completed run's ONNX files written, without any training; the run is `finishing` meanwhile.

        `options` are half, int8 and with_preprocessing; what is left out is as in the run's spec.
        """
        return self._act(run_id, "export", options)

    def fork(
        self,
        run_id: str,
        checkpoint: str = "best",
        *,
        spec: Mapping[str, Any] | None = None,
        key: str | None = None,
        **fields: Any,
    ) -> Run:
        """Submit a new run that begins with the weights of a checkpoint: `best`, `last` or an epoch's."""
        body = {"checkpoint": checkpoint, **given({"spec": spec, **fields})}
        headers = {KEY_HEADER: key or uuid.uuid4().hex}
        return decode(Run, self._transport.json("POST", f"{ROOT}/{run_id}/fork", json=body, headers=headers))

    def move_to_front(self, run_id: str) -> Run:
        """Put a queued run before its project's others."""
        return self._act(run_id, "move", {"to": "front"})

    def move_before(self, run_id: str, other: str) -> Run:
        """Put a queued run right before another of its project, queue and priority."""
        return self._act(run_id, "move", {"before": other})

    def move_after(self, run_id: str, other: str) -> Run:
        """Put a queued run right after another of its project, queue and priority."""
        return self._act(run_id, "move", {"after": other})

    def delete(self, run_id: str) -> None:
        """Delete an ended run with its files."""
        self._transport.json("DELETE", f"{ROOT}/{run_id}")

    def metrics(self, run_id: str) -> Sequence[Mapping[str, Any]]:
        """One row for each finished epoch."""
        rows: Sequence[Mapping[str, Any]] = self._transport.json("GET", f"{ROOT}/{run_id}/metrics")["items"]
        return rows

    def log(self, run_id: str, lines: int | None = None) -> str:
        """The last lines of the training log."""
        query = given({"tail": lines})
        return self._transport.request("GET", f"{ROOT}/{run_id}/log", params=query).text

    def checkpoints(self, run_id: str) -> Sequence[Checkpoint]:
        """Those that are there."""
        items = self._transport.json("GET", f"{ROOT}/{run_id}/checkpoints")["items"]
        return [decode(Checkpoint, item) for item in items]

    def download_checkpoint(self, run_id: str, name: str, target: Path, progress: Progress = nothing) -> Path:
        """`best`, `last`, or an epoch's by its number."""
        return download(self._transport, f"{ROOT}/{run_id}/checkpoints/{quote(name)}", target, progress)

    def download_weights(self, run_id: str, name: str, target: Path, progress: Progress = nothing) -> Path:
        """The weights of a checkpoint alone, as safetensors, which a worker writes for it."""
        path = f"{ROOT}/{run_id}/checkpoints/{quote(name)}?form=weights"
        return download(self._transport, path, target, progress)

    def overlays(self, run_id: str) -> Sequence[EpochOverlay]:
        """Pictures of validation images with what the run saw in them, of the newest epochs, oldest first."""
        items = self._transport.json("GET", f"{ROOT}/{run_id}/overlays")["items"]
        return [decode(EpochOverlay, item) for item in items]

    def download_overlay(self, run_id: str, epoch: int, target: Path, progress: Progress = nothing) -> Path:
        """The picture of one epoch, a JPEG file."""
        return download(self._transport, f"{ROOT}/{run_id}/overlays/{epoch}", target, progress)

    def artifacts(self, run_id: str) -> Sequence[Artifact]:
        """Every file of the run."""
        items = self._transport.json("GET", f"{ROOT}/{run_id}/artifacts")["items"]
        return [decode(Artifact, item) for item in items]

    def download_artifact(self, run_id: str, path: str, target: Path, progress: Progress = nothing) -> Path:
        """A file of the run, by the path that `artifacts` tells."""
        return download(self._transport, f"{ROOT}/{run_id}/artifacts/{quote(path)}", target, progress)

    def bytes_from(self, run_id: str, path: str, place: int) -> bytes:
        """What a growing file of the run holds from that place on; empty where there is nothing yet."""
        address = f"{ROOT}/{run_id}/artifacts/{quote(path)}"
        try:
            response = self._transport.request("GET", address, headers={"Range": f"bytes={place}-"})
        except Refused as error:
            if error.status in (httpx.codes.NOT_FOUND, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE):
                return b""
            raise
        is_part = response.status_code == httpx.codes.PARTIAL_CONTENT
        return response.content if is_part else response.content[place:]

    def _act(self, run_id: str, act: str, body: Mapping[str, Any] | None = None) -> Run:
        """Each of these may be sent again: the server does it once, or says the state."""
        path = f"{ROOT}/{run_id}/{act}"
        return decode(Run, self._transport.json("POST", path, json=body, repeatable=True))

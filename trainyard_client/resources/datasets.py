"""Data sets."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trainyard_client.decoding import decode
from trainyard_client.downloads import Progress, download, nothing
from trainyard_client.records import Dataset, DatasetItem, Sample
from trainyard_client.resources.paging import every, given
from trainyard_client.resources.polling import until
from trainyard_client.transport import KEY_HEADER, Transport
from trainyard_client.uploads import IN_PIECES_BYTES, upload, upload_in_pieces

ROOT = "/api/v1/datasets"
POLL_S = 0.5
IN_WORK = ("queued", "ingesting")


class Datasets:
    """Upload, read, answer, delete."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload(
        self,
        archive: Path,
        name: str,
        *,
        annotation: Path | None = None,
        key: str | None = None,
        progress: Progress = nothing,
        **options: Any,
    ) -> Dataset:
        """Send a zip or tar; `options` are those of the API (project, classes, format, on_question ...).

        The answer comes before the set is ingested: see `wait`. A large file goes in pieces: where the line
        breaks, or this process ends, the next call for the same file goes on from there. `key` makes a later
        call with the same key answer with the same set; then the files go as one form. Raises TrainyardError.
        """
        fields = {"name": name, **given(options)}
        if key is None and archive.is_file() and archive.stat().st_size >= IN_PIECES_BYTES:
            return decode(Dataset, upload_in_pieces(self._transport, fields, archive, annotation, progress))
        files = {"file": archive} | ({"annotation": annotation} if annotation else {})
        return decode(Dataset, upload(self._transport, ROOT, fields, files, progress, key))

    def register(self, path: str, name: str, *, key: str | None = None, **options: Any) -> Dataset:
        """Take an archive or a folder that lies below the server's data root."""
        headers = {KEY_HEADER: key} if key else {}
        body = {"name": name, "path": path, **given(options)}
        return decode(Dataset, self._transport.json("POST", ROOT, json=body, headers=headers))

    def list(self, *, project: str | None = None, status: str | None = None) -> Iterator[DatasetItem]:
        """All of them, newest first."""
        return every(self._transport, ROOT, DatasetItem, {"project": project, "status": status})

    def get(self, dataset_id: str) -> Dataset:
        """One data set with what ingest found."""
        return decode(Dataset, self._transport.json("GET", f"{ROOT}/{dataset_id}"))

    def wait(self, dataset_id: str, *, seconds: float | None = None) -> Dataset:
        """The set once it is no longer in work: `ready`, `question` or `failed`.

        Raises TimeoutError after `seconds`. A server that goes away is waited for, two minutes at most.
        """
        return until(
            self._transport,
            lambda: self.get(dataset_id),
            lambda dataset: dataset.status not in IN_WORK and dataset.change is None,
            poll_s=POLL_S,
            seconds=seconds,
        )

    def relabel(
        self, dataset_id: str, label_map: Mapping[str, int | None], classes: Mapping[str, str] | None = None
    ) -> Dataset:
        """Make a new version of the set with another label map."""
        body = {"label_map": dict(label_map), **given({"classes": classes})}
        return self._changed(dataset_id, "label-map", body)

    def answer(
        self,
        dataset_id: str,
        answers: Mapping[str, str] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Dataset:
        """Settle what the files leave open, by the key of a choice for each question, or by options."""
        return self._changed(dataset_id, "answers", given({"answers": answers, "options": options}))

    def retry(self, dataset_id: str) -> Dataset:
        """Try the ingest again that failed for the infrastructure's sake."""
        return self._changed(dataset_id, "retry", None)

    def samples(
        self, dataset_id: str, *, split: str | None = None, class_name: str | None = None
    ) -> Iterator[Sample]:
        """The samples of the version in use, by position."""
        query = {"split": split, "class": class_name}
        return every(self._transport, f"{ROOT}/{dataset_id}/samples", Sample, query)

    def sample_picture(self, dataset_id: str, index: int, target: Path) -> Path:
        """A sample as PNG, at most 512 pixels a side."""
        return download(self._transport, f"{ROOT}/{dataset_id}/samples/{index}.png", target)

    def delete(self, dataset_id: str) -> None:
        """Delete the set with its files."""
        self._transport.json("DELETE", f"{ROOT}/{dataset_id}")

    def _changed(self, dataset_id: str, act: str, body: Mapping[str, Any] | None) -> Dataset:
        return decode(Dataset, self._transport.json("POST", f"{ROOT}/{dataset_id}/{act}", json=body))

"""Checkpoints of a run that no service keeps: each is committed as soon as it is written."""

from dataclasses import asdict

from trainyard.decoding import decoder
from trainyard.runs.checkpoints import BEST, Checkpoint, discard, newest_first, place, with_saved
from trainyard.runs.events import CheckpointSaved, Event
from trainyard.storage.files import RunFolder
from trainyard.storage.json_files import read_json, write_json
from workers.training.job import SavedFile

_decode = decoder(Checkpoint)


class LocalCheckpoints:
    """What a supervisor is to a run of the service; its record is a file beside the checkpoints."""

    def __init__(self, folder: RunFolder, keep_last: int, *, resume: bool) -> None:
        """Begins afresh unless it is to `resume`. Raises StorageUnavailable for a broken record."""
        self._folder = folder
        self._keep_last = keep_last
        self._record = folder.saved / "committed.json"
        found = read_json(self._record) if resume and self._record.exists() else {}
        self._held = {name: _decode(one) for name, one in found.items()}

    @property
    def resume_from(self) -> tuple[SavedFile, ...]:
        """What is there to go on from, the newest first."""
        return tuple(self._file(one) for one in newest_first(self._held))

    @property
    def best(self) -> SavedFile | None:
        return self._file(self._held[BEST]) if BEST in self._held else None

    @property
    def held(self) -> dict[str, Checkpoint]:
        """What is committed, by name."""
        return dict(self._held)

    def take(self, event: Event) -> None:
        """Commit a saved file; other events are passed over. Raises StorageUnavailable."""
        if not isinstance(event, CheckpointSaved):
            return
        earlier, self._held = self._held, with_saved(self._held, event, event.stored, self._keep_last)
        write_json(self._record, {name: asdict(one) for name, one in self._held.items()})
        place(self._folder, self._held)
        discard(self._folder, earlier, self._held)

    def _file(self, one: Checkpoint) -> SavedFile:
        return SavedFile(path=self._folder.path / one.file, epoch=one.epoch, sha256=one.sha256)

"""The architectures that the older study service offers, which its clients add to and take from."""

from collections.abc import Sequence

from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json, write_json
from trainyard.store.resources.aliases import NameStore
from trainyard.tasks.segmentation import ARCHITECTURES

INITIAL = (
    "Unet", "UnetPlusPlus", "MAnet", "Linknet", "FPN", "PSPNet", "DeepLabV3", "DeepLabV3Plus", "PAN",
)  # fmt: skip
_ADDED, _REMOVED = "models-added", "models-removed"
_KNOWN = "*"
"""A member of the first set that says that this Redis knows what storage does."""


class OfferedModels:
    """Redis holds what was added and removed; storage mirrors it in one file, for a Redis that was emptied.

    Methods raise StoreUnavailable and StorageUnavailable.
    """

    def __init__(self, names: NameStore, storage: Storage) -> None:
        self._names = names
        self._file = storage.study_models

    def all(self) -> list[str]:
        """What is on offer, in the catalogue's order."""
        added, removed = self._changes()
        if _KNOWN not in added:
            added, removed = self._restored()
        offered = {*INITIAL, *added} - removed
        return [name for name in ARCHITECTURES if name in offered]

    def add(self, model: str) -> None:
        """Put an architecture on the list."""
        self.all()
        self._names.add(_ADDED, model)
        self._names.discard(_REMOVED, model)
        self._mirror()

    def remove(self, model: str) -> None:
        """Take an architecture off the list."""
        self.all()
        self._names.add(_REMOVED, model)
        self._mirror()

    def _changes(self) -> tuple[set[str], set[str]]:
        return self._names.members(_ADDED), self._names.members(_REMOVED)

    def _restored(self) -> tuple[set[str], set[str]]:
        """Those of storage and of this Redis, which may be of a release that had no file."""
        kept = read_json(self._file) if self._file.exists() else {}
        for name, models in ((_REMOVED, kept.get("removed", ())), (_ADDED, kept.get("added", ()))):
            self._fill(name, models)
        self._names.add(_ADDED, _KNOWN)
        if any(changes := self._changes()) and not kept and changes != ({_KNOWN}, set()):
            self._mirror()
        return self._changes()

    def _fill(self, name: str, models: Sequence[str]) -> None:
        for model in models:
            self._names.add(name, model)

    def _mirror(self) -> None:
        """Whoever writes the file last has seen the newest sets: each looks again after writing."""
        written = None
        while written != (present := self._changes()):
            added, removed = present
            write_json(self._file, {"added": sorted(added - {_KNOWN}), "removed": sorted(removed)})
            written = present

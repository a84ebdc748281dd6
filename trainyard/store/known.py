"""Records that a process has read, for as long as they are as they were: lists are asked for often."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, TypeVar

from trainyard.store.codec import Codec, UnreadableRecord
from trainyard.store.connection import Client, run_script

Record = TypeVar("Record")

KEPT = 2000
"""Records that a process remembers, some 10 kB each."""


class KnownRecords(Generic[Record]):
    """Reads many records of a kind at once, and decodes those alone that have changed since."""

    def __init__(self, client: Client, kind: str, codec: Codec[Record]) -> None:
        self._client = client
        self._kind = kind
        self._codec = codec
        self._token = ""
        self._known: OrderedDict[str, tuple[str, Record | UnreadableRecord]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, record_ids: Sequence[str]) -> list[Record | UnreadableRecord]:
        """Those that are there, in that order; raises StoreUnavailable.

        A record that has not changed is the very object that was returned before.
        """
        while True:
            with self._lock:
                token = self._token
                before = {one: self._known[one] for one in record_ids if one in self._known}
            asked = [(one, before[one][0] if one in before else "") for one in record_ids]
            now, texts = run_script(
                self._client, "read", self._kind, *(word for pair in asked for word in pair)
            )
            if now == token:
                return self._settle(before, texts)
            self._forget(now)

    def _settle(
        self, before: dict[str, tuple[str, Record | UnreadableRecord]], texts: dict[str, str]
    ) -> list[Record | UnreadableRecord]:
        found = []
        for record_id, text in texts.items():
            known = before[record_id] if not text else self._decoded(record_id, text)
            found.append(known[1])
            if known[0]:
                self._remember(record_id, known)
        return found

    def _decoded(self, record_id: str, text: str) -> tuple[str, Record | UnreadableRecord]:
        """The record with the revision in which it is known, empty for one that is to be read anew."""
        texts = self._codec.texts_of(text)
        record = self._codec.listed(record_id, texts)
        return "" if isinstance(record, UnreadableRecord) else texts.get("revision", ""), record

    def _remember(self, record_id: str, known: tuple[str, Record | UnreadableRecord]) -> None:
        with self._lock:
            self._known[record_id] = known
            self._known.move_to_end(record_id)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)

    def _forget(self, token: str) -> None:
        with self._lock:
            self._known.clear()
            self._token = token

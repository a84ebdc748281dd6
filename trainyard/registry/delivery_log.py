"""Deliveries to webhooks as storage has them: Redis decides, and a file of each webhook has what it may lose.

Each change of a delivery is a line. Several processes may write at once, so that a line tells by itself that
it is newer than another one of the same delivery: it has been tried more often.
"""

import json
import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from trainyard.decoding import decoder
from trainyard.errors import Unreadable
from trainyard.storage.errors import storage_error
from trainyard.storage.files import Storage
from trainyard.storage.ids import is_id
from trainyard.storage.json_files import write_text
from trainyard.store.connection import Client
from trainyard.store.processes.turns import Turns
from trainyard.store.resources.webhook_store import DeliveryStore
from trainyard.webhooks.record import Delivery

logger = logging.getLogger(__name__)

KEPT_S = 30 * 24 * 3600.0
"""How long a delivery is remembered after it was made."""
KEPT = 10_000
"""Of one webhook, the newest, as Redis has them."""
AT_ONCE = 500
EVERY_S = 1.0
"""At most so often one of all processes writes what is new."""
SHORTENING_S = 60.0
"""While a file is written anew, nobody adds to it."""
_TURN = "deliveries"
_decode = decoder(Delivery)


class DeliveryLog:
    """The files of all webhooks."""

    def __init__(self, client: Client, storage: Storage) -> None:
        self._store = DeliveryStore(client)
        self._turns = Turns(client)
        self._storage = storage

    def write(self) -> int:
        """Add what storage does not have yet; how much. Raises StoreUnavailable and StorageUnavailable."""
        new = self._store.unkept(AT_ONCE)
        if not new or not self._turns.take(_TURN, EVERY_S):
            return 0
        by_webhook: dict[str, list[Delivery]] = defaultdict(list)
        for one in new:
            by_webhook[one.webhook_id].append(one)
        for webhook_id, deliveries in by_webhook.items():
            self._append(webhook_id, deliveries)
            self._store.kept(deliveries)
        return len(new)

    def restore(self) -> None:
        """Let Redis have again what storage has and it has not; raises as `write`."""
        for file in self._files():
            found = _newest(_read(file))
            for first in range(0, len(found), AT_ONCE):
                self._store.restore(found[first : first + AT_ONCE])

    def shorten(self, now: float) -> None:
        """Drop lines that count no more, and deliveries made KEPT_S before `now`, in seconds since 1970.

        Raises as `write`.
        """
        for file in self._files():
            lines = _read(file)
            kept = _newest(lines, now - KEPT_S)
            if len(lines) > 2 * len(kept) + AT_ONCE or (lines and not kept):
                if not self._turns.take(_TURN, SHORTENING_S):
                    return  # the next look does it
                write_text(file, _text(_newest(_read(file), now - KEPT_S)))

    def _append(self, webhook_id: str, deliveries: Sequence[Delivery]) -> None:
        file = self._storage.webhook(webhook_id).deliveries
        try:
            with file.open("ab") as log:
                log.write(_text(deliveries).encode())
                log.flush()
                os.fsync(log.fileno())
        except FileNotFoundError:
            return  # the webhook is being removed, and its deliveries go with it
        except OSError as error:
            raise storage_error(f"{file.name} could not be written", error) from error

    def _files(self) -> list[Path]:
        folder = self._storage.root / "webhooks"
        try:
            ids = (
                sorted(path.name for path in folder.iterdir() if is_id(path.name)) if folder.exists() else []
            )
        except OSError as error:
            raise storage_error("webhooks/ could not be read", error) from error
        files = [self._storage.webhook(one).deliveries for one in ids]
        return [file for file in files if file.exists()]


def _text(deliveries: Iterable[Delivery]) -> str:
    """Each line begins with a break as well: one that a full disk cut off costs no other."""
    return "".join(f"\n{json.dumps(asdict(one))}\n" for one in deliveries)


def _read(file: Path) -> list[Delivery]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise storage_error(f"{file.name} could not be read", error) from error
    found, torn = [], 0
    for line in filter(None, lines):
        try:
            found.append(_decode(json.loads(line)))
        except (ValueError, Unreadable):
            torn += 1
    if torn:
        logger.warning("%s has %d lines that cannot be read, and are left out", file, torn)
    return found


def _newest(lines: Sequence[Delivery], since: float = 0.0) -> list[Delivery]:
    """How each delivery stands that was made since, in the order in which they were."""
    latest: dict[str, Delivery] = {}
    for one in lines:
        known = latest.get(one.id)
        if one.created_at > since and (known is None or one.attempts >= known.attempts):
            latest[one.id] = one
    return sorted(latest.values(), key=lambda one: one.created_at)[-KEPT:]

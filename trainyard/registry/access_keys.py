"""Access keys: made, found by what a client sends, revoked at once."""

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from trainyard.access import AccessKey, Role
from trainyard.decoding import decoder
from trainyard.errors import InvalidRequest, NotFound
from trainyard.storage.files import Storage
from trainyard.storage.json_files import read_json, write_json
from trainyard.store.resources.key_store import KeyStore

USE_EVERY_S = 60.0
"""How exactly the last use of a key is known: it costs a write."""
_decode = decoder(AccessKey)


@dataclass(frozen=True, kw_only=True)
class ListedKey:
    """A key, and when it was used last, in seconds since 1970; None where that is not known."""

    key: AccessKey
    last_used_at: float | None


class AccessKeys:
    """Redis holds the keys, where each request looks; storage mirrors them in one file, only as hashes."""

    def __init__(self, store: KeyStore, storage: Storage) -> None:
        self._store = store
        self._file = storage.access_keys
        self._noted: dict[str, float] = {}

    def create(
        self, name: str, role: Role, projects: Sequence[str], expires_at: float | None, created_by: str
    ) -> tuple[AccessKey, str]:
        """A new key, and the text that clients send, which nobody can be told again.

        Raises InvalidRequest for an admin of certain projects, StoreUnavailable and StorageUnavailable.
        """
        if role == Role.ADMIN and projects:
            raise InvalidRequest(
                "An admin makes keys of all projects, and so has them all.",
                errors={"projects": ["none for an admin; for certain projects a trainer"]},
            )
        secret = f"ty_{secrets.token_urlsafe(32)}"
        made = AccessKey(
            id=f"key-{secrets.token_hex(6)}",
            name=name,
            role=role,
            projects=tuple(projects),
            hash=digest(secret),
            created_at=time.time(),
            created_by=created_by,
            expires_at=expires_at,
        )
        self._restore()
        self._store.put(made)
        self._mirror()
        return made, secret

    def revoke(self, key_id: str) -> AccessKey:
        """Accept a key no more, from the next request on; again is the same.

        Raises NotFound, StoreUnavailable and StorageUnavailable.
        """
        self._restore()
        found = next((one for one in self._store.all() if one.id == key_id), None)
        if found is None:
            raise NotFound(f"There is no key {key_id[:40]!r}.")
        if found.revoked_at is None:
            found = replace(found, revoked_at=time.time())
            self._store.put(found)
        self._mirror()
        return found

    def all(self) -> list[ListedKey]:
        """Every key, revoked ones too, oldest first; raises as `create`."""
        self._restore()
        uses = self._store.uses()
        return [ListedKey(key=one, last_used_at=uses.get(one.id)) for one in self._store.all()]

    def authenticate(self, sha256: str) -> AccessKey | None:
        """The valid key whose text has that `digest`, or None; raises as `create`."""
        now = time.time()
        found = self._store.by_hash(sha256)
        if found is None and self._restore():
            found = self._store.by_hash(sha256)
        if found is None or not found.is_valid(now):
            return None
        if now - self._noted.get(found.id, 0.0) > USE_EVERY_S:
            self._noted[found.id] = now
            self._store.note_use(found.id, now)
        return found

    def _restore(self) -> bool:
        """Give a Redis without keys those of storage; whether it needed them."""
        if self._store.are_known() or not self._file.exists():
            return False
        self._store.put(*(_decode(one) for one in read_json(self._file)["keys"]))
        return True

    def _mirror(self) -> None:
        """Whoever writes the file last has seen the newest keys: each looks again after writing."""
        written = None
        while written != (present := self._store.all()):
            write_json(self._file, {"keys": [asdict(one) for one in present]})
            written = present


def digest(secret: str) -> str:
    """The SHA-256 of what a client sent, in hex. A random key needs no slow hash: it cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()

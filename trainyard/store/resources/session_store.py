"""Sessions of browsers that have signed in: which key each was begun with."""

from trainyard.store import keys
from trainyard.store.connection import Client, store_errors


class SessionStore:
    """Sessions by the SHA-256 of their token, in hex, never by the token. Methods raise StoreUnavailable."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def put(self, token_hash: str, key_hash: str, seconds: int) -> None:
        """Begin a session that lasts so long, with the key of that hash."""
        with store_errors():
            self._client.set(keys.session(token_hash), key_hash, ex=seconds)

    def key_hash(self, token_hash: str) -> str | None:
        """The hash of a session's key; None where there is no such session any more."""
        with store_errors():
            found = self._client.get(keys.session(token_hash))
        return str(found) if found else None

    def remove(self, token_hash: str) -> None:
        """End a session."""
        with store_errors():
            self._client.delete(keys.session(token_hash))

"""Access keys in Redis, where each request looks: by the hash of what a client sent."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import cast

from trainyard.access import AccessKey
from trainyard.decoding import decoder
from trainyard.store import keys
from trainyard.store.connection import Client, store_errors

_decode = decoder(AccessKey)


class KeyStore:
    """All access keys. Methods raise StoreUnavailable."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def put(self, *access_keys: AccessKey) -> None:
        """Keep keys, in place of what is known of them."""
        with store_errors():
            pipeline = self._client.pipeline()
            for one in access_keys:
                pipeline.hset(keys.ACCESS_KEYS, one.hash, json.dumps(asdict(one)))
            pipeline.execute()

    def by_hash(self, sha256: str) -> AccessKey | None:
        """The key with that hash, valid or not; None where there is none."""
        with store_errors():
            text = cast("str | None", self._client.hget(keys.ACCESS_KEYS, sha256))
        return _decode(json.loads(text)) if text else None

    def all(self) -> list[AccessKey]:
        """Every key, oldest first."""
        with store_errors():
            texts = cast("dict[str, str]", self._client.hgetall(keys.ACCESS_KEYS))
        return sorted((_decode(json.loads(text)) for text in texts.values()), key=lambda one: one.created_at)

    def are_known(self) -> bool:
        """Whether this Redis has any."""
        with store_errors():
            return bool(self._client.exists(keys.ACCESS_KEYS))

    def note_use(self, key_id: str, now: float) -> None:
        """Say that a key was used."""
        with store_errors():
            self._client.hset(keys.ACCESS_KEY_USES, key_id, str(now))

    def uses(self) -> Mapping[str, float]:
        """When each key was used last, in seconds since 1970."""
        with store_errors():
            found = cast("dict[str, str]", self._client.hgetall(keys.ACCESS_KEY_USES))
        return {key_id: float(text) for key_id, text in found.items()}

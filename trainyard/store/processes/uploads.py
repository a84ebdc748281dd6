"""How far uploads are that are still coming in, by the id of their request."""

import json
from dataclasses import asdict, dataclass

from trainyard.store import keys
from trainyard.store.connection import Client, store_errors

KEPT_S = 600
"""How long the last word of an upload is kept."""


@dataclass(frozen=True)
class UploadProgress:
    """Bytes of a request's body; `total` is None where the client does not announce it."""

    received: int
    total: int | None


class UploadStore:
    """What the API's processes tell each other of uploads under way."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def tell(self, request_id: str, progress: UploadProgress) -> None:
        """Say how far an upload is; raises StoreUnavailable."""
        with store_errors():
            self._client.set(keys.upload(request_id), json.dumps(asdict(progress)), ex=KEPT_S)

    def get(self, request_id: str) -> UploadProgress | None:
        """How far it is, or was; raises StoreUnavailable."""
        with store_errors():
            text = self._client.get(keys.upload(request_id))
        return UploadProgress(**json.loads(text)) if text else None

"""Images on their way into the folder of a prediction."""

from app.service.datasets.uploads import ReceivedFile
from trainyard.errors import InvalidRequest, PayloadTooLarge
from trainyard.storage.errors import storage_error
from trainyard.storage.files import PredictionFolder

MAX_IMAGES = 16
"""Of one request."""
MAX_BYTES = 256 * 1024 * 1024
"""All images of a request together."""


class ReceivedImages:
    """The images of one request, which is entered while they come and closes them."""

    most = MAX_IMAGES

    def __init__(self, folder: PredictionFolder, max_bytes: int) -> None:
        self.max_bytes = min(MAX_BYTES, max_bytes)
        self._folder = folder
        self._bytes = 0
        self._received: list[ReceivedFile] = []

    def open(self) -> ReceivedFile:
        """Begin to receive an image; raises InvalidRequest for one too many, and StorageUnavailable."""
        if len(self._received) == MAX_IMAGES:
            raise InvalidRequest("Too many images.", errors={"image": [f"at most {MAX_IMAGES}"]})
        try:
            self._folder.path.mkdir(parents=True, exist_ok=True)
            received = ReceivedFile(self._folder.image(len(self._received)), self._count)
        except OSError as error:
            raise storage_error("An image could not be stored", error) from error
        self._received.append(received)
        return received

    def close(self) -> None:
        """Hand what came to the system and close the files; raises StorageUnavailable."""
        for one in self._received:
            one.flush()
            one.close()

    def _count(self, added: int) -> None:
        self._bytes += added
        if self._bytes > self.max_bytes:
            raise PayloadTooLarge(f"The images are larger than {self.max_bytes} bytes.")

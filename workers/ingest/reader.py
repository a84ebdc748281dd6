"""Reads pairs, one in memory at a time, into the prepared form; notes what is seen and what is wrong."""

import hashlib
from collections.abc import Callable
from typing import TypeVar

from workers.ingest.archive import Archive, Member
from workers.ingest.decode import DecodedImage, decode_image
from workers.ingest.masks import decode_mask, fit_mask
from workers.ingest.pairing import Pair
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.statistics import ChannelStatistics, Reading, count_values
from workers.prepared import PreparedWriter, Uint8

MAX_PREPARED_BYTES = 500 * (1 << 30)
"""Bytes of the prepared form, which an upload's size does not bound: plain pictures pack very small."""

Progress = Callable[[int, int], None]
_Decoded = TypeVar("_Decoded")


class PairReader:
    """Decodes pairs and appends them to a writer with mask values as sent.

    After an error nothing is appended any more: the rest is read for its problems only. `readings` holds
    what was seen of each sound pair, `channels` the statistics of their images.
    """

    def __init__(self, archive: Archive, writer: PreparedWriter, log: ProblemLog, *, white: int) -> None:
        """`white` is the value of white in masks of one bit per pixel."""
        self.readings: list[Reading] = []
        self.channels = ChannelStatistics()
        self._archive = archive
        self._writer = writer
        self._log = log
        self._white = white
        self._bytes = 0

    def read(self, pairs: list[Pair], progress: Progress) -> None:
        """Read all, in order; raises Refused where they exceed MAX_PREPARED_BYTES, OSError of the disk."""
        step = max(len(pairs) // 100, 1)
        progress(0, len(pairs))
        for done, found in enumerate(pairs, start=1):
            self._read_pair(found)
            if done % step == 0 or done == len(pairs):
                progress(done, len(pairs))

    def _read_pair(self, found: Pair) -> None:
        image = self._decode(found.image, decode_image)
        mask = self._decode(found.mask, lambda data: decode_mask(data, self._white))
        if image is None or mask is None:
            return
        for note in image.notes:
            self._log.warning(note.code, found.image.path, note.message, note.remedy)
        try:
            mask = fit_mask(mask, image)
        except Refused as refusal:
            self._log.refused(found.mask.path, refusal)
            return
        self._keep(found, image, mask)

    def _decode(self, member: Member, decode: Callable[[bytes], _Decoded]) -> _Decoded | None:
        try:
            return decode(self._archive.read(member))
        except Refused as refusal:
            self._log.refused(member.path, refusal)
            return None

    def _keep(self, found: Pair, image: DecodedImage, mask: Uint8) -> None:
        self._bytes += image.pixels.nbytes + mask.nbytes
        if self._bytes > MAX_PREPARED_BYTES:
            raise Refused(
                "set_too_large",
                f"Decoded, the set is larger than {MAX_PREPARED_BYTES} bytes.",
                "Send fewer or smaller images.",
            )
        self.channels.add(image.pixels)
        reading = Reading(
            name=found.name,
            mask_file=found.mask.path,
            height=mask.shape[0],
            width=mask.shape[1],
            values=count_values(mask),
            image_sha256=hashlib.sha256(image.pixels.data).hexdigest(),
        )
        self.readings.append(reading)
        if not self._log.has_errors:
            self._writer.append(found.name, image.pixels, mask)

"""What a picture of ids of COCO's panoptic segmentation says of an image."""

from dataclasses import dataclass

import numpy as np

from workers.ingest.archive import Member
from workers.ingest.items import ImageObjects, Read
from workers.ingest.masks.objects.instances import numbered_objects, resized
from workers.ingest.masks.values.colored_masks import decode_colors
from workers.ingest.pictures.decode import DecodedImage
from workers.ingest.pictures.mask_files import color_codes, color_of, colored_pixels
from workers.ingest.pictures.mask_fit import fit_mask
from workers.ingest.raster.shrink import Size
from workers.ingest.regions.masks import IGNORED
from workers.prepared.version import Uint8

_VOID = (0, 0, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentsTruth:
    """A picture of ids; `ids` are uint32 as bytes, and `values` the mask value of each. `labels` are the
    values of the classes of segments that are things, 0 of others; `crowds` tells which are several."""

    member: Member
    ids: bytes
    values: bytes
    labels: tuple[int, ...] = ()
    crowds: tuple[bool, ...] = ()

    @property
    def file(self) -> str:
        """See `Truth.file`."""
        return self.member.path

    def rasterize(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.rasterize`."""
        ids = np.frombuffer(self.ids, np.uint32).tolist()
        reds_first = (color_of(number)[::-1] for number in ids)
        table = {_VOID: IGNORED} | dict(zip(reds_first, self.values, strict=True))
        return fit_mask(decode_colors(read(self.member), table, image), image)

    def boxes(self, read: Read, image: DecodedImage, size: Size) -> ImageObjects:
        """See `ObjectsTruth.boxes`."""
        return self.outlines(read, image, size)

    def outlines(self, read: Read, image: DecodedImage, size: Size) -> ImageObjects:
        """See `ObjectsTruth.outlines`: each segment of a thing is an object."""
        codes = color_codes(colored_pixels(read(self.member), image)[..., ::-1])  # red counts least
        ids = np.frombuffer(self.ids, np.uint32)
        plane = np.zeros(codes.shape, np.uint16)
        if ids.size:
            order = np.argsort(ids)
            places = order[np.minimum(np.searchsorted(ids[order], codes), ids.size - 1)]
            plane = np.where(ids[places] == codes, places + 1, 0).astype(np.uint16)
        return numbered_objects(resized(fit_mask(plane, image), size), self.labels, self.crowds)

    def instances(self, read: Read, image: DecodedImage, size: Size) -> tuple[Uint8, ImageObjects]:
        """See `ObjectsTruth.instances`."""
        return self.rasterize(read, image), self.outlines(read, image, size)

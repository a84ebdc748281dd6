"""What the regions of an image say of it: the mask that they make together, and its single objects.

Where regions overlap, the smaller one is seen: they are rasterized from the largest to the smallest, so
that a
facade does not erase its windows. With the order `file` the later one in the file is seen instead. A region
to be ignored (IGNORED: a crowd, a void) is rasterized by the same rule as all others: a crowd in front of a
bus hides that part of the bus, and the person labelled within a crowd stays labelled.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workers.ingest.items import ImageObjects, Read
from workers.ingest.pictures.decode import DecodedImage
from workers.ingest.pictures.limits import MAX_DRAWN_PIXELS
from workers.ingest.pictures.mask_fit import fit_mask
from workers.ingest.problems import Refused
from workers.ingest.raster.shrink import Size
from workers.ingest.regions.drawn_objects import drawn_objects
from workers.ingest.regions.marked import scaled_region
from workers.ingest.regions.masks import IGNORED, MAX_PAINTED, Order, Region
from workers.ingest.regions.placement import Placement
from workers.ingest.regions.polygons import Cover
from workers.prepared.version import Uint8


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionsTruth:
    """Regions on a background; `size` is (width, height) as the annotation states it, None where it does not.

    `background` is the value of pixels that no region covers. The regions were drawn on the displayed image,
    or on the stored one where the stated size is that one's only; with no size stated, on the displayed one.
    """

    file: str
    size: Size | None
    background: int
    regions: Sequence[Region]
    order: Order = "area"

    def rasterize(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.rasterize`."""
        drawn, regions = self._drawn_size(image), list(self.regions)
        mask = np.full(drawn[::-1], self.background, np.uint8)
        for _, region, cover in self._covers(regions, drawn):
            cover.rasterize(mask, _shown(region.value))
        return fit_mask(mask, image)

    def boxes(self, read: Read, image: DecodedImage, size: Size) -> ImageObjects:
        """See `ObjectsTruth.boxes`."""
        drawn = self._drawn_size(image)
        return drawn_objects(list(self.regions), drawn, Placement(drawn, image, size))

    def outlines(self, read: Read, image: DecodedImage, size: Size) -> ImageObjects:
        """See `ObjectsTruth.outlines`."""
        return self._drawn(image, size, None)

    def instances(self, read: Read, image: DecodedImage, size: Size) -> tuple[Uint8, ImageObjects]:
        """See `ObjectsTruth.instances`."""
        mask = np.full(self._drawn_size(image)[::-1], self.background, np.uint8)
        found = self._drawn(image, size, mask)
        return fit_mask(mask, image), found

    def _drawn(self, image: DecodedImage, size: Size, mask: Uint8 | None) -> ImageObjects:
        """The objects with their outlines, rasterized on a mask, too, where there is one."""
        drawn, regions = self._drawn_size(image), list(self.regions)
        placement = Placement(drawn, image, size)
        outlines = [b""] * len(regions)
        for place, region, cover in self._covers(regions, drawn):
            if mask is not None:
                cover.rasterize(mask, region.value)
            outlines[place] = placement.outline(cover)
        return drawn_objects(regions, drawn, placement, outlines)

    def _drawn_size(self, image: DecodedImage) -> Size:
        """Width and height of what was drawn on. Raises Refused where it is not this image."""
        width, height = image.size if self.size is None else self.size
        if (width, height) not in (image.size, image.stored_size):
            raise Refused(
                "annotation_size",
                f"The annotation is for {width}x{height} pixels; the image has "
                f"{image.size[0]}x{image.size[1]}.",
                "Export the annotation anew for this image, or send the image that was annotated.",
            )
        return width, height

    def _covers(self, regions: Sequence[Region], drawn: Size) -> Iterator[tuple[int, Region, Cover]]:
        """Each region with its place and its pixels, in the order of rasterizing. Raises Refused."""
        width, height = drawn
        if width * height > MAX_DRAWN_PIXELS:
            raise Refused(
                "image_too_large",
                f"Regions are rasterized on images of at most {MAX_DRAWN_PIXELS} pixels; this one has "
                f"{width}x{height}.",
                "Send its mask as a PNG or TIFF, which is made smaller with the image; or cut it into tiles.",
            )
        if sum(region.cost(width, height) for region in regions) > MAX_PAINTED:
            raise Refused(
                "regions_too_many",
                f"{len(regions)} regions take more than {MAX_PAINTED} steps to rasterize.",
                "Take out regions that lie below others, or send masks.",
            )
        order = range(len(regions))
        by_area = sorted(order, key=lambda place: -regions[place].area)
        for place in by_area if self.order == "area" else order:
            yield place, regions[place], regions[place].cover(height, width)


@dataclass(frozen=True, kw_only=True, slots=True)
class FractionsTruth:
    """Polygons and boxes, marked ones, too, whose coordinates are fractions of the image as displayed."""

    file: str
    regions: Sequence[Region]
    order: Order

    def rasterize(self, read: Read, image: DecodedImage) -> Uint8:
        """See `Truth.rasterize`."""
        return self._on(image).rasterize(read, image)

    def boxes(self, read: Read, image: DecodedImage, size: Size) -> ImageObjects:
        """See `ObjectsTruth.boxes`."""
        return self._on(image).boxes(read, image, size)

    def outlines(self, read: Read, image: DecodedImage, size: Size) -> ImageObjects:
        """See `ObjectsTruth.outlines`."""
        return self._on(image).outlines(read, image, size)

    def instances(self, read: Read, image: DecodedImage, size: Size) -> tuple[Uint8, ImageObjects]:
        """See `ObjectsTruth.instances`."""
        return self._on(image).instances(read, image, size)

    def _on(self, image: DecodedImage) -> RegionsTruth:
        scaled = [scaled_region(region, image.size) for region in self.regions]
        return RegionsTruth(file=self.file, size=None, background=0, regions=scaled, order=self.order)


def _shown(value: int) -> int:
    """The value that a byte has room for: of a set of so many classes, masks are rasterized to be looked
    at."""
    return value if value <= IGNORED else 1 + value % (IGNORED - 1)

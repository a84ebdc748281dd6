"""Finds pictures that Pillow has no mode for, or reads with less than is there."""

from workers.ingest.problems import Refused
from workers.ingest.raster.avif import avif_raster
from workers.ingest.raster.bmp import bmp_raster
from workers.ingest.raster.jpeg2000 import jpeg2000_raster
from workers.ingest.raster.netpbm import netpbm_raster
from workers.ingest.raster.png import SIGNATURE, is_deep_png, png_raster
from workers.ingest.raster.strips import UNREAD, Raster
from workers.ingest.raster.tiff import tiff_raster
from workers.ingest.raster.tiff_header import is_tiff, read_page


def special_raster(data: bytes) -> Raster | None:
    """A picture of more than 8 bits, or of more bands than colours and alpha; None for any other, which
    costs no more than a look at its first bytes.

    Raises Refused where it is broken, or of a kind that is not read.
    """
    if is_tiff(data):
        try:
            page = read_page(data)
        except Refused as refusal:
            if refusal.problem_code == UNREAD:
                raise
            return None  # Pillow knows more old habits of writers, and says what is wrong
        return None if page.is_ordinary else tiff_raster(data, page)
    if is_deep_png(data):
        return png_raster(data)
    if data[:2] in (b"P5", b"P6"):
        raster = netpbm_raster(data)
        return raster if raster is not None and raster.deep else None
    return avif_raster(data) or jpeg2000_raster(data)


def any_raster(data: bytes) -> Raster | None:
    """A picture that can be read in strips; None where it is of a kind that cannot. Raises Refused."""
    if is_tiff(data):
        return tiff_raster(data, read_page(data))
    if data.startswith(SIGNATURE):
        return png_raster(data)
    return bmp_raster(data) or netpbm_raster(data)

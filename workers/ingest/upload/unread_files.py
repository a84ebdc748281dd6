"""Names the files of an upload that may be data and are of kinds that are not read.

A set without pairs may have its masks in such a file, and one that is ready may lack what is in it.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workers.ingest.archive import Member
from workers.ingest.items import Source
from workers.ingest.problems import ProblemLog, Refused, shown


@dataclass(frozen=True)
class _Kind:
    name: str
    endings: tuple[str, ...]
    remedy: str


_AS_PICTURES = "Convert each slice or band to a PNG or TIFF, images and masks alike."
_AS_MASKS = "Save the arrays as PNG or TIFF, one file for each image and each mask."
_AS_FILES = "Take the pictures and masks out of the file, one PNG or TIFF for each."
_AS_IMAGE = "Convert it to PNG, TIFF or JPEG."

_KINDS = (
    _Kind("DICOM", (".dcm", ".dicom", ".ima", ".acr"), _AS_PICTURES),
    _Kind("NIfTI volumes", (".nii", ".nii.gz"), _AS_PICTURES),
    _Kind("MetaImage, NRRD or other volumes", (".mha", ".mhd", ".nrrd", ".nhdr", ".mgh", ".mgz", ".minc",
          ".vtk", ".vti", ".raw"), _AS_PICTURES),
    _Kind("NumPy arrays", (".npy", ".npz", ".npy.gz"), _AS_MASKS),
    _Kind("MATLAB files", (".mat",), _AS_MASKS),
    _Kind("HDF5 files", (".h5", ".hdf5", ".hdf", ".he5", ".nc"), _AS_MASKS),
    _Kind("Python pickles or tensors", (".pkl", ".pickle", ".pt", ".pth", ".joblib"), _AS_MASKS),
    _Kind("TFRecord, Parquet or other packed records", (".tfrecord", ".tfrecords", ".parquet", ".arrow",
          ".feather", ".lmdb", ".mdb", ".beton", ".rec", ".avro"), _AS_FILES),
    _Kind("whole-slide images", (".svs", ".ndpi", ".scn", ".mrxs", ".bif", ".vms", ".vsi", ".isyntax"),
          "Export tiles or a smaller level as TIFF, PNG or JPEG, and masks of the same size."),
    _Kind("microscope files", (".czi", ".lif", ".nd2", ".oib", ".oif", ".oir", ".ims", ".lsm", ".stk", ".dv",
          ".mrc", ".zvi"), "Export planes as TIFF or PNG, for example with Fiji."),
    _Kind("drawings and layered pictures", (".psd", ".psb", ".ai", ".xcf", ".kra", ".svg", ".eps", ".clip",
          ".procreate"), "Export images and masks as PNG."),
    _Kind("HEIC and other pictures", (".heic", ".heif", ".jxl", ".jxr", ".tga", ".dds", ".exr", ".hdr",
          ".pcx", ".sgi", ".fits", ".fit", ".ecw", ".sid", ".img", ".jpf", ".j2k"), _AS_IMAGE),
    _Kind("camera raw files", (".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef"),
          _AS_IMAGE),
    _Kind("videos", (".mp4", ".avi", ".mov", ".mkv", ".webm", ".wmv", ".mpg", ".mpeg", ".m4v"),
          "Save the annotated frames as PNG or JPEG."),
    _Kind("point clouds and meshes", (".ply", ".pcd", ".las", ".laz", ".e57", ".stl", ".xyz"),
          "Send pictures with masks; points and surfaces are not read."),
    _Kind("maps of regions", (".shp", ".geojson", ".kml", ".kmz", ".gpkg", ".gml"),
          "Rasterise the regions as masks of the images' sizes."),
    _Kind("spreadsheets and databases", (".xlsx", ".xls", ".ods", ".sqlite", ".db"),
          "Export annotations in one of the formats that are read."),
    _Kind("single files packed with gzip, bzip2 or xz", (".gz", ".bz2", ".xz"),
          "Unpack them, and put the files themselves in the upload."),
)  # fmt: skip
_BY_ENDING: Mapping[str, _Kind] = {ending: kind for kind in _KINDS for ending in kind.endings}
_DICOM = _KINDS[0]

_DICOM_MARK_AT = 128
_DICOM_MARK = b"DICM"
"""After a preamble of 128 bytes (DICOM PS3.10, 7.1)."""

_LOOKED_INTO = 2000
"""Files without an ending that are opened, at most."""

_NO_ENDING = re.compile(r"(\.[0-9]*)?\Z")
"""Of DICOM files named by numbers, or by identifiers whose parts are numbers."""

_NOTHING_FOUND = frozenset(("no_pairs", "no_images", "annotations_unread"))


def report_unread(source: Source, log: ProblemLog) -> None:
    """Tell of the files of kinds that are not read, if there are any: an error where the set has no images
    with masks, which such a file may be the reason for, else a warning."""
    found: dict[_Kind, list[str]] = {}
    for kind, member in _unread(source):
        found.setdefault(kind, []).append(member.path)
    if not found:
        return
    nothing = any(one.severity == "error" and one.code in _NOTHING_FOUND for one in log.problems())
    tell = log.error if nothing else log.warning
    most = sorted(found.items(), key=lambda one: -len(one[1]))
    listed = "; ".join(f"{len(paths)} of {kind.name}, such as {shown(paths[0])}" for kind, paths in most)
    count = sum(map(len, found.values()))
    tell(
        "files_unread",
        most[0][1][0],
        f"{count} file(s) are of kinds that are not read, and are left out: {listed}.",
        ("" if nothing else "Nothing, if they do not belong to the set; else: ")
        + " ".join(dict.fromkeys(kind.remedy for kind, _ in most)),
    )


def _unread(source: Source) -> Iterator[tuple[_Kind, Member]]:
    opened = 0
    for member in source.members:
        kind = _kind_by_ending(member)
        if kind is None and _has_no_ending(member) and opened < _LOOKED_INTO:
            opened += 1
            kind = _DICOM if _is_dicom(source, member) else None
        if kind is not None:
            yield kind, member


def _kind_by_ending(member: Member) -> _Kind | None:
    stem, ending = posixpath.splitext(member.path.lower())
    return _BY_ENDING.get(posixpath.splitext(stem)[1] + ending) or _BY_ENDING.get(ending)


def _has_no_ending(member: Member) -> bool:
    return _NO_ENDING.match(posixpath.splitext(member.path)[1]) is not None


def _is_dicom(source: Source, member: Member) -> bool:
    end = _DICOM_MARK_AT + len(_DICOM_MARK)
    if member.size < end:
        return False
    try:
        with source.open(member) as file:
            return file.read(end)[_DICOM_MARK_AT:] == _DICOM_MARK
    except Refused:
        return False  # of no use here; nobody else reads it

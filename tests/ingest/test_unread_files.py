"""Files of kinds that are not read are named by kind, with a count and an example."""

import pytest

from tests.ingest.made import Bench, codes, encoded, folders, mask, photo

SOUND = folders([mask(0, 1), mask(1, 0)])
IMAGES = {f"images/{index}.png": encoded(photo(index)) for index in range(3)}
DICOM = bytes(128) + b"DICM" + bytes(100)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("masks/0.npy", "NumPy"),
        ("masks.npz", "NumPy"),
        ("labels/0.nii.gz", "NIfTI"),
        ("labels/0.NII", "NIfTI"),
        ("case/0.dcm", "DICOM"),
        ("gt.mat", "MATLAB"),
        ("set.h5", "HDF5"),
        ("a.hdf5", "HDF5"),
        ("train.tfrecord", "TFRecord"),
        ("0000.parquet", "Parquet"),
        ("x.nrrd", "NRRD"),
        ("x.mha", "MetaImage"),
        ("slide.svs", "slide"),
        ("cells.czi", "microscope"),
        ("cells.lif", "microscope"),
        ("drawing.psd", "layered"),
        ("drawing.ai", "drawings"),
        ("photo.heic", "HEIC"),
        ("scan.dng", "raw"),
        ("clip.mp4", "video"),
        ("regions.shp", "regions"),
    ],
)
def test_a_set_without_pairs_says_what_else_it_saw(bench: Bench, name: str, kind: str) -> None:
    result = bench.run({**IMAGES, name: b"data"})
    assert "no_pairs" in codes(result)
    (problem,) = [one for one in result.problems if one.code == "files_unread"]
    assert (problem.severity, problem.file) == ("error", name)
    assert kind.casefold() in problem.message.casefold()
    assert not problem.remedy.startswith("Nothing")


@pytest.mark.parametrize("name", ["masks/0.npy", "volume.nii.gz", "clip.avi", "s.svs"])
def test_a_set_that_is_ready_is_warned(bench: Bench, name: str) -> None:
    result = bench.run({**SOUND, name: b"data"})
    assert [(p.severity, p.code, p.file) for p in result.problems] == [("warning", "files_unread", name)]
    assert result.problems[0].remedy.startswith("Nothing")


@pytest.mark.parametrize("name", ["case/IM-0001-0001", "1.2.840.113619.2.55", "scan.001", "I10"])
def test_dicom_files_without_an_ending_are_known_by_what_is_in_them(bench: Bench, name: str) -> None:
    result = bench.run({name: DICOM, f"more/{name}": DICOM, "LICENSE": b"x" * 500, "Makefile": b""})
    assert codes(result) == ["no_pairs", "files_unread"]
    problem = result.problems[1]
    assert "2 of DICOM" in problem.message
    assert "2 file(s)" in problem.message


def test_kinds_are_counted_and_told_once(bench: Bench) -> None:
    files = {f"vol/{index}.nii.gz": b"x" for index in range(40)} | {
        f"{index}.npy": b"x" for index in range(7)
    }
    result = bench.run({**SOUND, **files})
    (problem,) = result.problems
    assert "47 file(s)" in problem.message
    assert "40 of NIfTI" in problem.message
    assert "7 of NumPy" in problem.message


def test_files_that_are_no_data_are_not_named(bench: Bench) -> None:
    others = ["README.md", "LICENSE", "train.py", "requirements.txt", "paper.pdf", "Makefile", "v1.0"]
    assert bench.run({**SOUND, **dict.fromkeys(others, b"x" * 200)}).problems == ()


def test_other_errors_are_not_put_down_to_them(bench: Bench) -> None:
    result = bench.run({**SOUND, "images/0.png": b"no picture", "x.npy": b"data"})
    assert codes(result) == ["image_unknown"]
    assert codes(result, "warning") == ["files_unread"]

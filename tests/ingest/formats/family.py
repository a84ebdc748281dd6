"""The demands that every reader of annotations meets; a format's test subclasses FormatFamily."""

import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tests.ingest.made import Array, encoded, photo, upload
from trainyard.datasets.record import IngestOptions
from workers.ingest.archive import ArchiveLimits
from workers.ingest.formats.catalogue import FORMATS, format_named, recognised
from workers.ingest.items import Format, FoundSet, Item, ObjectsTruth, Source
from workers.ingest.pictures.decode import decode_image
from workers.ingest.problems import ProblemLog, Refused
from workers.ingest.regions.masks import IGNORED
from workers.ingest.splits.told_splits import told_splits
from workers.ingest.upload.open import open_source
from workers.prepared.run_lengths import decompressed, rasterize_runs

HEIGHT, WIDTH = 6, 8
"""The size of the pictures that `picture` makes."""


@dataclass(frozen=True, kw_only=True)
class Real:
    """A real set: its folder in the shared data, how many items, and percent of all pixels by class name."""

    folder: str
    items: int
    shares: dict[str, float]
    splits: frozenset[str | None] = frozenset((None,))


class FormatFamily:
    """Subclass it as `TestX`, and say what is below. All of it is about one small sound upload.

    The set's classes take the values that `names` gives; `masks` maps the last part of each item's name to
    its mask, (HEIGHT, WIDTH) of those values; one of the items should have no object, and thus a mask of
    background alone. `splits` names items' splits where they have one.
    """

    reader: ClassVar[Format]
    names: ClassVar[dict[int, str]]
    masks: ClassVar[dict[str, Array]]
    splits: ClassVar[dict[str, str]] = {}
    image: ClassVar[str | None]
    """The path of an image that can be taken away; None where images lie in the annotations."""

    annotation: ClassVar[str]
    """The path of the annotation file that can be broken."""

    real: ClassVar[tuple[Real, ...]] = ()

    def files(self) -> dict[str, bytes]:
        """The upload, by path."""
        raise NotImplementedError

    def test_is_recognised_by_content(self, tmp_path: Path) -> None:
        with opened(tmp_path, self.files()) as source:
            assert recognised(source)[0].form.name == self.reader.name

    def test_is_found_by_name(self) -> None:
        assert format_named(self.reader.name).name == self.reader.name

    def test_no_other_format_takes_it(self, tmp_path: Path) -> None:
        with opened(tmp_path, self.files()) as source:
            takers = [one.name for one in FORMATS[:-1] if one.recognises(source)]
        assert takers == [self.reader.name]

    def test_classes_and_masks(self, tmp_path: Path) -> None:
        log = ProblemLog()
        with opened(tmp_path, self.files()) as source:
            found = self.read(source, log)
            assert found is not None, log.problems()
            masks = {last_part(item): rasterized(item, source) for item in found.items}
        assert not log.has_errors, log.problems()
        assert found.names == self.names
        assert masks.keys() == self.masks.keys()
        for name, mask in masks.items():
            np.testing.assert_array_equal(mask, self.masks[name], err_msg=name)

    def test_objects_are_what_masks_are_painted_from(self, tmp_path: Path) -> None:
        with opened(tmp_path, self.files()) as source:
            found = self.read(source, ProblemLog())
            assert found is not None
            if "outlines" not in found.kinds:
                pytest.skip("objects are not told apart")
            for item in found.items:
                assert_instances(item, source)

    def test_splits(self, tmp_path: Path) -> None:
        with opened(tmp_path, self.files()) as source:
            found = self.read(source, ProblemLog())
            assert found is not None
            items = told_splits(found.items, source, IngestOptions(), ProblemLog()).items
        assert {last_part(item): item.split for item in items if item.split} == self.splits

    def test_items_can_go_to_another_process(self, tmp_path: Path) -> None:
        with opened(tmp_path, self.files()) as source:
            found = self.read(source, ProblemLog())
            assert found is not None
            for item in found.items:
                again = pickle.loads(pickle.dumps(item))  # noqa: S301
                np.testing.assert_array_equal(rasterized(again, source), rasterized(item, source))

    def test_missing_image_is_reported(self, tmp_path: Path) -> None:
        if self.image is None:
            pytest.skip("the images lie in the annotations")
        log = ProblemLog()
        files = self.files()
        del files[self.image]
        with opened(tmp_path, files) as source:
            found = self.read(source, log)
        assert log.problems()
        assert found is None or len(found.items) == len(self.masks) - 1

    @pytest.mark.parametrize("damage", ["empty", "half", "noise", "other"])
    def test_broken_annotation_is_reported(self, tmp_path: Path, damage: str) -> None:
        log = ProblemLog()
        with opened(tmp_path, self.files() | {self.annotation: self.damaged()[damage]}) as source:
            self.reader.recognises(source)
            found = self.read(source, log)
            for item in found.items if found else ():
                try_to_rasterize(item, source, log)
        assert log.problems()

    def test_order_of_members_does_not_matter(self, tmp_path: Path) -> None:
        with opened(tmp_path, dict(reversed(self.files().items()))) as source:
            found = self.read(source, ProblemLog())
        assert found is not None
        assert {last_part(item) for item in found.items} == self.masks.keys()

    def test_real_sets(self, shared_data: Path, tmp_path: Path) -> None:
        if not self.real:
            pytest.skip("there is no real set of this format")
        for real in self.real:
            log = ProblemLog()
            files = folder_files(shared_data / real.folder)
            with opened(tmp_path, files) as source:
                assert recognised(source)[0].form.name == self.reader.name, real.folder
                found = self.read(source, log)
                assert found is not None, (real.folder, log.problems())
                assert not log.has_errors, (real.folder, log.problems())
                measured = shares(found, source)
                items = told_splits(found.items, source, IngestOptions(), log).items
            assert len(found.items) == real.items, real.folder
            assert {item.split for item in items} == real.splits, real.folder
            near = {name: measured.get(name, 0) for name in real.shares}
            assert near == pytest.approx(real.shares, abs=0.2), real.folder

    def read(self, source: Source, log: ProblemLog, **options: object) -> FoundSet | None:
        return self.reader.read(source, IngestOptions(**options), log)  # type: ignore[arg-type]

    def damaged(self) -> dict[str, bytes]:
        """What becomes of the annotation file: each must lead to a problem, never to an exception."""
        whole = self.files()[self.annotation]
        noise = np.random.default_rng(0).integers(0, 256, 200, dtype=np.uint8).tobytes()
        return {"empty": b"", "half": whole[: len(whole) // 2], "noise": noise, "other": b"[1, null, {}]"}


@contextmanager
def opened(folder: Path, files: Mapping[str, bytes]) -> Iterator[Source]:
    """An upload of these files."""
    limits = ArchiveLimits()
    with open_source(upload(folder / "upload.zip", files), None, folder, limits, ProblemLog()) as source:
        yield source


def picture(seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> bytes:
    """A PNG of noise."""
    return encoded(photo(seed, height, width))


def left_half(value: int = 1, background: int = 0) -> Array:
    """The mask of an object that covers the left half."""
    mask = np.full((HEIGHT, WIDTH), background, np.uint8)
    mask[:, : WIDTH // 2] = value
    return mask


def last_part(item: Item) -> str:
    """The item's name without folders."""
    return item.name.rsplit("/", 1)[-1]


def rasterized(item: Item, source: Source) -> Array:
    """The item's mask, (H, W); raises Refused."""
    data = source.read(item.image)
    image = decode_image(item.unpack(data) if item.unpack else data)
    mask = item.truth.rasterize(source.read, image)
    assert mask.shape == image.pixels.shape[:2]
    assert mask.dtype == np.uint8
    return mask


def assert_instances(item: Item, source: Source) -> None:
    """The objects of an item make its mask together, and each lies in its box."""
    assert isinstance(item.truth, ObjectsTruth)
    data = source.read(item.image)
    image = decode_image(item.unpack(data) if item.unpack else data)
    mask, found = item.truth.instances(source.read, image, image.size)
    np.testing.assert_array_equal(mask, rasterized(item, source))
    union = np.zeros(mask.shape, np.uint8)
    for box, outline in zip(found.objects.boxes.tolist(), found.outlines, strict=True):
        own = np.zeros(mask.shape, np.uint8)
        rasterize_runs(decompressed(outline), own)
        rows, columns = np.nonzero(own)
        left, top, right, bottom = box
        assert left - 1 < columns.min() <= columns.max() < right + 1
        assert top - 1 < rows.min() <= rows.max() < bottom + 1
        union |= own
    np.testing.assert_array_equal(
        union == 1, (mask > 0) & (mask != IGNORED) | (union == 1) & (mask == IGNORED)
    )


def try_to_rasterize(item: Item, source: Source, log: ProblemLog) -> None:
    """Paint the item's mask as ingest does: a refusal goes to the log."""
    try:
        rasterized(item, source)
    except Refused as refusal:
        log.refused(item.truth.file, refusal)


def shares(found: FoundSet, source: Source) -> dict[str, float]:
    """Percent of all pixels by class name; of pixels that are no class under `ignored`."""
    pixels = np.zeros(256, np.int64)
    for item in found.items:
        pixels += np.bincount(rasterized(item, source).reshape(-1), minlength=256)
    names = found.names or {}
    percent: dict[str, float] = {}
    for value in np.flatnonzero(pixels):
        name = names.get(int(value), "ignored")
        percent[name] = percent.get(name, 0.0) + 100 * float(pixels[value]) / float(pixels.sum())
    return percent


def folder_files(folder: Path) -> dict[str, bytes]:
    """All files of a folder, by path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class BoxFamily(FormatFamily):
    """Subclass it for a format of boxes, whose upload is `train/a.jpg`, `train/b.jpg` and `val/c.jpg`:
    a cat in the left half, nothing, a dog everywhere."""

    names: ClassVar = {0: "background", 1: "cat", 2: "dog"}
    masks: ClassVar = {
        "a": left_half(1),
        "b": np.zeros((HEIGHT, WIDTH), np.uint8),
        "c": np.full((HEIGHT, WIDTH), 2, np.uint8),
    }
    image = "train/a.jpg"
    splits: ClassVar = {"a": "train", "b": "train", "c": "val"}

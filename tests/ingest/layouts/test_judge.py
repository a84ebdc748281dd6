"""The judge of layouts tells each fault from the truth."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.ingest.layouts.judge import Kind, Verdict, judge
from tests.ingest.layouts.layout import Builder, Draw, Layout, MaskCode
from tests.ingest.layouts.scenes import CLASS_CODES, IGNORED, Array, shown
from trainyard.datasets.record import DatasetSummary, Problem
from workers.prepared.version import PreparedClass, PreparedDataset, PreparedWriter

Samples = dict[str, tuple[Array, Array, str]]
"""Image, mask and split by the image's path."""

SUMMARY = DatasetSummary(
    content_hash="",
    images=0,
    splits={},
    classes=(),
    ignore_share=0.0,
    sizes={},
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
)


@pytest.fixture
def made() -> Layout:
    """Six pairs of two classes, of which two test, an image without a mask, and a preview."""
    builder = Builder(Draw(3), MaskCode("ids", CLASS_CODES["ids"], classes=2))
    for number in range(6):
        split = "test" if number > 3 else "train"
        builder.pair(f"{split}/images/{number}.png", f"{split}/masks/{number}.png", split)
    builder.alone("train/images/9.png", "train")
    builder.add("preview.png", builder.files["train/masks/0.png"])
    return builder.layout()


def true_samples(made: Layout) -> Samples:
    return {
        path: (shown(made.files[path]), one.labels.copy(), one.split or "train")
        for path, one in made.pairs.items()
    }


def verdict(made: Layout, samples: Samples, folder: Path, *told: Problem) -> Verdict:
    with PreparedWriter(folder) as writer:
        for path, (image, mask, _) in samples.items():
            writer.append(path, image, mask)
        splits = {path: split for path, (_, _, split) in samples.items()}
        classes = [PreparedClass(index=i, name=str(i), value=i, color=(i, i, i)) for i in range(3)]
        writer.finish(splits, classes, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "hash")
    return judge(made, SUMMARY, told, PreparedDataset(folder), answered=False)


def left_out(*files: str) -> Problem:
    return Problem(
        severity="warning",
        code="image_without_mask",
        file=files[0],
        message="There is no mask.",
        remedy="Add it.",
        count=len(files),
        examples=files,
    )


LONE = left_out("train/images/9.png")


def test_the_truth_is_the_truth_whatever_the_classes_are_called(made: Layout, tmp_path: Path) -> None:
    assert verdict(made, true_samples(made), tmp_path, LONE).kind is Kind.TRUTH
    renamed = {
        path: (image, np.array([2, 0, 1], np.uint8)[mask], split)
        for path, (image, mask, split) in true_samples(made).items()
    }
    assert verdict(made, renamed, tmp_path / "renamed", LONE).kind is Kind.TRUTH


def swapped(samples: Samples) -> None:
    one, other = samples["train/images/0.png"], samples["train/images/1.png"]
    samples["train/images/0.png"] = (one[0], other[1], one[2])
    samples["train/images/1.png"] = (other[0], one[1], other[2])


def merged(samples: Samples) -> None:
    for _, mask, _ in samples.values():
        mask[mask == 2] = 1


def object_lost(samples: Samples) -> None:
    mask = samples["train/images/2.png"][1]
    mask[mask == mask.max()] = 0


def background_ignored(samples: Samples) -> None:
    for _, mask, _ in samples.values():
        mask[mask == 0] = IGNORED


def class_added(samples: Samples) -> None:
    samples["train/images/2.png"][1][0, 0] = 7


def trained_on_test(samples: Samples) -> None:
    image, mask, _ = samples["test/images/4.png"]
    samples["test/images/4.png"] = (image, mask, "train")


def lost(samples: Samples) -> None:
    del samples["train/images/3.png"]


def read_twice(samples: Samples) -> None:
    samples["again"] = samples["train/images/3.png"]


def mask_as_image(samples: Samples) -> None:
    _, mask, split = samples["train/images/3.png"]
    samples["train/images/3.png"] = (np.repeat(mask[..., None], 3, axis=2), mask, split)


@pytest.mark.parametrize(
    "fault",
    [
        swapped,
        merged,
        object_lost,
        background_ignored,
        class_added,
        trained_on_test,
        lost,
        read_twice,
        mask_as_image,
    ],
)
def test_a_fault_is_wrong(made: Layout, tmp_path: Path, fault: Callable[[Samples], None]) -> None:
    samples = true_samples(made)
    fault(samples)
    assert verdict(made, samples, tmp_path, LONE).kind is Kind.WRONG


def test_an_image_without_a_mask_is_no_background_unless_said(made: Layout, tmp_path: Path) -> None:
    samples = true_samples(made)
    photo = shown(made.files["train/images/9.png"])
    samples["train/images/9.png"] = (photo, np.zeros(photo.shape[:2], np.uint8), "train")
    assert verdict(made, samples, tmp_path / "one").kind is Kind.WRONG
    good = {path: replace(one, is_background=True) for path, one in made.unmasked.items()}
    assert verdict(replace(made, unmasked=good), samples, tmp_path / "other").kind is Kind.TRUTH


def test_what_is_left_out_has_to_be_counted(made: Layout, tmp_path: Path) -> None:
    samples = true_samples(made)
    lost(samples)
    assert verdict(made, samples, tmp_path / "one", LONE).kind is Kind.WRONG
    both = left_out("train/images/3.png", "train/images/9.png")
    assert verdict(made, samples, tmp_path / "other", both).kind is Kind.SHORT


def test_another_reading_needs_a_word(made: Layout, tmp_path: Path) -> None:
    samples = true_samples(made)
    merged(samples)
    one_class = {
        path: replace(one, labels=np.minimum(one.labels, 1).astype(np.uint8))
        for path, one in made.pairs.items()
    }
    open_set = replace(made, also=(one_class,), unmasked={})
    assert verdict(open_set, samples, tmp_path / "silent").kind is Kind.WRONG
    assert verdict(open_set, samples, tmp_path / "told", LONE).kind is Kind.TRUTH

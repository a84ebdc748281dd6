"""Every preset and every transform of the catalogue keeps images and masks together."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import CONFIGS
from trainyard.catalog.names import TRANSFORMS
from trainyard.spec.experiments import Experiments
from trainyard.spec.training_spec import TransformSpec
from workers.prepared.version import IGNORE_INDEX, Uint8
from workers.training.tasks.segmentation.data.augmentation import Augmentation

PRESETS = Experiments(CONFIGS).presets()


def _preset(name: str) -> Augmentation:
    return Augmentation(
        Experiments(CONFIGS).compose({"augmentation": {"preset": name}}).augmentation.transforms,
        IGNORE_INDEX,
    )


def _scene() -> tuple[Uint8, Uint8]:
    """A bright, blue upper half of class 1 and a dark, red lower half of class 4."""
    image, mask = np.zeros((60, 80, 3), np.uint8), np.full((60, 80), 4, np.uint8)
    image[:30], mask[:30] = (60, 60, 220), 1
    image[30:] = (90, 20, 20)
    return image, mask


@pytest.mark.parametrize("preset", PRESETS)
class TestEachPreset:
    def test_the_same_seed_gives_the_same_picture_and_another_another(self, preset: str) -> None:
        augmentation, scene = _preset(preset), _scene()
        first, again = augmentation(*scene, [1, 2, 3]), augmentation(*scene, [1, 2, 3])
        assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
        others = [augmentation(*scene, [1, 2, place])[0] for place in range(4, 12)]
        varies = any(not np.array_equal(first[0], other) for other in others)
        assert varies is (preset != "none")

    def test_shape_kind_and_classes_stay(self, preset: str) -> None:
        augmentation = _preset(preset)
        for seed in range(40):
            image, mask = augmentation(*_scene(), [seed])
            assert (image.shape, mask.shape) == ((60, 80, 3), (60, 80))
            assert image.dtype == mask.dtype == np.uint8
            assert set(np.unique(mask)) <= {1, 4, IGNORE_INDEX}

    def test_labels_follow_their_pixels(self, preset: str) -> None:
        """Wherever the truth says the upper class, the picture is still the brighter one on the whole."""
        augmentation = _preset(preset)
        for seed in range(40):
            image, mask = augmentation(*_scene(), [seed])
            brightness = image.mean(axis=2)
            upper, lower = brightness[mask == 1], brightness[mask == 4]
            if min(len(upper), len(lower)) > 100:
                assert np.median(upper) > np.median(lower)

    def test_most_of_the_picture_stays_labelled(self, preset: str) -> None:
        augmentation = _preset(preset)
        ignored = [(augmentation(*_scene(), [seed])[1] == IGNORE_INDEX).mean() for seed in range(60)]
        assert np.mean(ignored) < 0.35


def test_the_presets_grow_stronger() -> None:
    changes = []
    for preset in ("none", "light", "medium", "strong"):
        augmentation, (image, mask) = _preset(preset), _scene()
        varied = [augmentation(image, mask, [seed])[0].astype(float) for seed in range(60)]
        changes.append(np.mean([np.abs(one - image).mean() for one in varied]))
    assert changes == sorted(changes)
    assert changes[0] == 0 < changes[1]


def test_presets_are_the_files_of_their_folder() -> None:
    assert sorted(path.stem for path in Path(CONFIGS, "augmentation").iterdir()) == PRESETS
    assert PRESETS == ["light", "medium", "none", "strong"]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_each_transform_of_the_catalogue_runs(name: str) -> None:
    augmentation = Augmentation([TransformSpec(name=name, params={"p": 1.0})], IGNORE_INDEX)
    image, mask = np.tile(np.arange(64, dtype=np.uint8), (64, 1)), np.zeros((64, 64), np.uint8)
    mask[:32] = 1
    varied, labels = augmentation(np.stack([image] * 3, axis=2), mask, [3])
    assert varied.shape == (64, 64, 3)
    assert set(np.unique(labels)) <= {0, 1, IGNORE_INDEX}

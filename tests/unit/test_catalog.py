"""Names that a spec may use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainyard.catalog import names as catalog
from trainyard.errors import InvalidRequest
from trainyard.tasks.registry import rounded_size
from trainyard.tasks.segmentation import ARCHITECTURES, LOSSES, architecture

NAMES = st.sampled_from(sorted(ARCHITECTURES))


@given(NAMES, st.integers(32, 4096))
def test_sizes_are_rounded_to_the_least_legal_one(name: str, size: int):
    rule = architecture(name)
    rounded = rounded_size(name, size)
    assert rounded >= max(size, rule.min_size)
    assert rounded % rule.size_multiple == 0
    assert rounded - rule.size_multiple < max(size, rule.min_size)
    assert rounded_size(name, rounded) == rounded


def test_an_unknown_architecture_lists_the_known():
    with pytest.raises(InvalidRequest) as found:
        architecture("unet")
    assert "Unet" in str(found.value.errors)


def test_encoders_of_smp_and_timm_are_known():
    for name in ("resnet18", catalog.PACKAGED_ENCODER, "tu-resnet18"):
        assert catalog.check_encoder(name) is None
    assert all(not name.startswith("tu-") for name in catalog.smp_encoder_names())
    assert len(catalog.encoder_names()) > 500


def test_a_misspelt_encoder_is_told_of_near_ones():
    problem = catalog.check_encoder("resnet81")
    assert problem
    assert "resnet18" in problem
    assert catalog.check_encoder("\x00") is not None


def test_names_are_listed_once():
    for names in (catalog.TRANSFORMS, LOSSES, catalog.PRECISIONS, catalog.WEIGHTS, catalog.FITS):
        assert len(set(names)) == len(names)

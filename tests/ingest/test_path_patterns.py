"""Patterns fit paths from any folder downwards."""

import pytest

from workers.ingest.path_patterns import matches


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("masks/*", "masks/a.png"),
        ("masks/*", "set/Masks/a.png"),
        ("*_mask.png", "a/b/0_MASK.png"),
        ("patient*/seg/*.png", "data/patient12/seg/0.png"),
        ("data/masks", "data/masks/0.png"),
        ("data/masks", "top/data/masks/deep/0.png"),
        ("masks", "a/masks/b/c.png"),
        ("**", "a.png"),
        ("a/**", "a/b/c.png"),
        ("a/**/c.png", "a/c.png"),
        ("a/**/c.png", "x/a/b/b/c.png"),
        ("**/*.png", "c.png"),
        ("a/**/b/**/*.png", "a/1/b/2/3/c.png"),
        ("[01].png", "x/1.png"),
    ],
)
def test_fits(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("masks/*", "masks/deep/a.png"),
        ("masks/*", "masks2/a.png"),
        ("mask", "masks/a.png"),
        ("masks", "a/masks.png"),
        ("*.png", "a.jpg"),
        ("a/b/*", "a/c/b/x.png"),
        ("a/**/c.png", "b/c.png"),
        ("?.png", "10.png"),
    ],
)
def test_fits_not(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


def test_many_stars_take_no_time() -> None:
    assert not matches("/".join(["**", "a*a*a"] * 40), "/".join(["aaaaaaaa"] * 60 + ["b"]))

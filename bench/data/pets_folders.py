"""Folders of pictures by breed, of a set whose pictures are named BREED_NUMBER and whose splits are lists.

python -m bench.data.pets_folders SOURCE TARGET
"""

import argparse
import shutil
from pathlib import Path

SPLITS = ("train", "val", "test")


def make_folders(source: Path, target: Path) -> None:
    """Copy `images/` into `<split>/<breed>/`, as `splits/<split>.txt` shares them out."""
    for split in SPLITS:
        for name in (source / "splits" / f"{split}.txt").read_text().split():
            folder = target / split / name.rpartition("_")[0]
            folder.mkdir(parents=True, exist_ok=True)
            (picture,) = (source / "images").glob(f"{name}.*")
            shutil.copy(picture, folder)


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser(prog="python -m bench.data.pets_folders", description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    asked = parser.parse_args()
    make_folders(asked.source, asked.target)


if __name__ == "__main__":
    main()

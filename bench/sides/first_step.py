"""The published script up to its first optimizer step: `python -m bench.sides.first_step DATA`."""

import sys
from pathlib import Path

from lightning import Trainer
from torch.utils.data import DataLoader

from bench.data.camvid import image_files
from bench.sides.example import CamVid, Example, augmentation, build_network

BATCH_SIZE = 8
SIZE = 256


def main() -> None:
    """Take one step."""
    images = CamVid(image_files(Path(sys.argv[1]), "train"), augmentation(SIZE))
    trainer = Trainer(max_steps=1, logger=False, enable_checkpointing=False, enable_progress_bar=False)
    loader = DataLoader(images, batch_size=BATCH_SIZE, shuffle=True, drop_last=True)
    trainer.fit(Example(build_network(), 1), loader)


if __name__ == "__main__":
    main()

"""Configurations for walks, which are of what clients do, and not of what is learnt."""

import shutil
from pathlib import Path

import yaml

from trainyard.settings import CONFIGS


def small_configs(folder: Path) -> Path:
    """Copy the shipped ones to a folder; the defaults and the experiment `demo` there train a small network
    on small images, in a moment."""
    shutil.copytree(CONFIGS, folder)
    for name, size in (("defaults.yaml", 32), ("experiment/demo.yaml", 64)):
        file = folder / name
        spec = yaml.safe_load(file.read_text())
        spec["model"] = {**spec["model"], "encoder": "tu-test_resnet", "encoder_weights": "none"}
        spec["data"]["image_size"] = size
        file.write_text(yaml.safe_dump(spec))
    return folder

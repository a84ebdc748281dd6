"""Configurations for walks, which are of what clients do, and not of what is learnt."""

import shutil
from pathlib import Path

import yaml

from trainyard.settings import CONFIGS


def small_configs(folder: Path) -> Path:
    """Copy the shipped ones to a folder, with a network and a size for the experiment `demo` that train in a
    moment."""
    shutil.copytree(CONFIGS, folder)
    file = folder / "experiment" / "demo.yaml"
    demo = yaml.safe_load(file.read_text())
    demo["model"] = {"architecture": "Unet", "encoder": "tu-test_resnet"}
    demo["data"]["image_size"] = 64
    file.write_text(yaml.safe_dump(demo))
    return folder

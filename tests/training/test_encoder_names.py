"""The catalog's encoder names are those of the installed libraries."""

import json
from pathlib import Path

import trainyard.catalog.names
from workers.training.tasks.segmentation.network.encoder_names import encoder_names


def test_the_catalog_is_what_the_libraries_offer():
    kept = json.loads(Path(trainyard.catalog.names.__file__).with_name("encoders.json").read_text())
    assert kept == encoder_names(), "run `make catalog`"

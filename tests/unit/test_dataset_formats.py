"""The formats that an upload may name are those that ingest reads."""

from trainyard.catalog.names import DATASET_FORMATS
from workers.ingest.formats.catalogue import FORMATS
from workers.ingest.labels.choice import LABEL_FORMATS


def test_the_catalogue_lists_every_reader():
    assert sorted(DATASET_FORMATS) == sorted(one.name for one in (*FORMATS, *LABEL_FORMATS))

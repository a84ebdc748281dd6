"""The process that ingests one data set: a file that crashes a decoder ends this process, not the worker."""

import signal
from dataclasses import asdict
from pathlib import Path

from trainyard.datasets.record import IngestOptions
from trainyard.decoding import decoder
from trainyard.errors import HostOutOfMemory, TrainyardError
from trainyard.storage.errors import storage_error
from workers.ingest.pipeline import ingest
from workers.ingest.problems import shown
from workers.ingest.upload.open import Upload
from workers.plugins.loading import load_plugins
from workers.process.child import Link, Message

_decode_options = decoder(IngestOptions)


def work(link: Link, job: Message) -> None:
    """Ingest, and send up `progress` and what it `reads_next`, then one `result` or `error`."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    link.listen(lambda _: None)
    options = _decode_options(job["options"])
    try:
        load_plugins()
        found = ingest(
            _upload(job["upload"]),
            Path(job["folder"]),
            options,
            lambda done, total: link.send({"progress": [done, total]}),
            annotation=(Path(job["annotation"]), job["annotation_name"]) if job["annotation"] else None,
            reads_next=lambda file: link.send({"reads_next": None if file is None else shown(file)}),
        )
    except TrainyardError as error:
        link.send({"error": error.to_dict()})
    except OSError as error:
        link.send({"error": storage_error("A file of the data set could not be used", error).to_dict()})
    except MemoryError:
        link.send({"error": HostOutOfMemory("The ingest process could get no more memory.").to_dict()})
    else:
        link.send({"result": asdict(found)})


def _upload(sent: str | dict[str, str]) -> Upload:
    if isinstance(sent, str):
        return Path(sent)
    return {name: Path(path) for name, path in sent.items()}

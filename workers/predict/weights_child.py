"""The process that takes weights out of a checkpoint: it imports torch, and ends when it is done."""

import signal
from pathlib import Path

from trainyard.errors import HostOutOfMemory, TrainyardError
from trainyard.storage.files import Storage
from workers.predict.weights import write_weights
from workers.process.child import Link, Message


def work(link: Link, job: Message) -> None:
    """Write the weights, and send a `result` or an `error`."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    link.listen(lambda _: None)
    storage = Storage(Path(job["storage"]))
    try:
        write_weights(storage.run(job["run_id"]).path / job["file"], storage.prediction(job["id"]).weights)
    except TrainyardError as error:
        link.send({"error": error.to_dict()})
    except MemoryError:
        link.send({"error": HostOutOfMemory("The process could get no more memory.").to_dict()})
    else:
        link.send({"result": {}})

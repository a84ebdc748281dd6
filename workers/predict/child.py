"""The process that predicts, one job after the other: what crashes a decoder ends it, and not the worker.

It keeps models loaded, and ends by itself when its supervisor does not allow it more time.
"""

import queue
import signal
import time
from pathlib import Path

from trainyard.decoding import decoder
from trainyard.errors import HostOutOfMemory, TrainyardError
from trainyard.library.prediction import PredictionJob
from trainyard.storage.errors import storage_error
from trainyard.storage.files import Storage
from workers.predict.loaded_models import LoadedModels
from workers.process.child import Link, Message

_decode = decoder(PredictionJob)


def work(link: Link, job: Message) -> None:
    """Answer each message, which is a job, with a `result` or an `error`; does not return."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked: queue.SimpleQueue[Message] = queue.SimpleQueue()
    models, storage = LoadedModels(job["threads"]), Storage(Path(job["storage"]))
    link.listen(asked.put)
    while True:
        link.send(_answer(models, storage, _decode(asked.get())))


def _answer(models: LoadedModels, storage: Storage, job: PredictionJob) -> Message:
    began = time.monotonic()
    folder = storage.prediction(job.id)
    try:
        answer = models.get(storage.model(job.model_id).path / job.file)
        images = [answer(job, folder, place) for place in range(len(job.names))]
    except TrainyardError as error:
        return {"error": error.to_dict()}
    except OSError as error:
        return {"error": storage_error("A file of the prediction could not be used", error).to_dict()}
    except MemoryError:
        return {"error": HostOutOfMemory("The predicting process could get no more memory.").to_dict()}
    return {"result": {"seconds": time.monotonic() - began, "images": images}}

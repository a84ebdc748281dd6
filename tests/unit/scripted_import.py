"""Stands for the process that takes in an experiment: it answers, dies or hangs, as `max_bytes` says."""

import os
import threading

from workers.process.child import Link, Message


def work(link: Link, job: Message) -> None:
    link.listen(lambda _: None)
    if job["max_bytes"] == 2:
        os._exit(1)
    if job["max_bytes"] == 3:
        threading.Event().wait()
    link.send({"result": job})

"""A child for the tests of the prediction server: does what the names of a job's images say."""

import os
import queue
import signal
import time


def work(link, job):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    asked = queue.SimpleQueue()
    link.listen(asked.put)
    while True:
        (what,) = asked.get()["names"]
        if what == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if what == "hang":
            time.sleep(3600)
        link.send({"result": {"pid": os.getpid(), "threads": job["threads"]}})

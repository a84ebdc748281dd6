"""A child for the tests of the prediction server: ends, waits or answers as the file of its job says."""

import os
import signal
import time


def work(link, job):
    link.listen(lambda _: None)
    if job["file"] == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if job["file"] == "hang":
        time.sleep(3600)
    link.send({"result": {}})

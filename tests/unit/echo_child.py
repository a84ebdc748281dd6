"""A child for the tests: says what it is told, then ends or hangs as its job says."""

import os
import sys
import threading
import time


def work(link, job):
    heard = threading.Event()

    def answer(message):
        link.send({"echo": message["say"]})
        heard.set()

    link.listen(answer)
    if job.get("pid"):
        link.send({"pid": os.getpid()})
    if job.get("hang"):
        time.sleep(3600)
    heard.wait(3600)
    sys.exit(job["exit"])

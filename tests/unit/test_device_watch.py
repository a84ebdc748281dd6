"""What devices do over an epoch."""

import pytest

from trainyard.store.processes.worker_record import DeviceFigures
from workers.runs import device_watch
from workers.runs.device_watch import DeviceWatch


def figures(busy: float | None, used: int | None) -> DeviceFigures:
    return DeviceFigures(
        name="A GPU",
        memory_used_bytes=used,
        memory_total_bytes=80 * 10**9,
        utilization=busy,
        temperature_c=None,
    )


def test_an_epoch_has_the_mean_of_its_time_and_the_most_of_its_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(device_watch, "EVERY_S", 0.0)
    told = iter([[figures(0.2, 10**9)], [figures(0.6, 3 * 10**9)], [figures(1.0, 2 * 10**9)]])
    watch = DeviceWatch(lambda: next(told))
    watch.look()
    watch.look()
    assert watch.of_epoch() == {"device_utilization": 0.4, "device_memory_gb": 3.0}
    assert watch.of_epoch() == {"device_utilization": 1.0, "device_memory_gb": 2.0}


def test_only_the_devices_of_the_run_count():
    devices = [figures(1.0, 10**9), figures(0.0, 5 * 10**9), figures(0.5, 7 * 10**9)]
    assert DeviceWatch(lambda: devices, count=2).of_epoch()["device_utilization"] == 0.5
    assert DeviceWatch(lambda: devices, places=(2,)).of_epoch()["device_memory_gb"] == 7.0


def test_devices_that_tell_nothing_leave_gaps():
    nothing = {"device_utilization": None, "device_memory_gb": None}
    assert DeviceWatch(list).of_epoch() == nothing
    assert DeviceWatch(lambda: [figures(None, None)]).of_epoch() == nothing


def test_they_are_not_asked_at_every_turn():
    asked: list[int] = []
    watch = DeviceWatch(lambda: asked.append(1) or [figures(0.5, 1)])
    for _ in range(5):
        watch.look()
    assert len(asked) == 1

"""One POST of a webhook: to the address that was checked, and not for ever."""

import socket
import threading
from ipaddress import ip_network
from typing import Any

import pytest

from tests.api.receiver import Receiver
from trainyard.errors import InvalidRequest
from trainyard.webhooks import post as module
from trainyard.webhooks.addresses import AddressRefused, check_address
from trainyard.webhooks.post import NotSent, check_url, post

LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - nothing is bound
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::1",
        "192.0.0.8", "192.0.0.9", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.175.48.1",
        "fec0::1", "100::1", "64:ff9b:1:7f00:0:100:808:808", "2001::1", "2001:4:112::1", "2620:4f:8000::1",
        "3fff::1", "5f00::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "4000::1",
    ],
)  # fmt: skip
def test_addresses_of_no_internet_are_refused(address: str):
    with pytest.raises(AddressRefused):
        check_address(address, [])


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_those_of_the_internet_are_not(address: str):
    check_address(address, [])


@pytest.mark.parametrize(
    "host",
    [
        "2130706433", "1", "0", "4294967295", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.01",
        "0x7f.0x0.0x0.0x1", "017700000001", "1.2.3.4.5", "256.1.1.1", "8.8.2056", "0x", "hook.example.0x7f",
        "127.0.0.1.", "10.0.0.1.", "localhost", "LOCALHOST", "localhost.", "a.localhost", "printer",
        "nas.local", "metadata.google.internal", "router.home.arpa", "a..b", "x-.org", "-x.org",
        "[::ffff:7f00:1]", "[fe80::1%25eth0]",
    ],
)  # fmt: skip
def test_hosts_that_lead_to_no_internet_are_seen_without_asking(host: str):
    with pytest.raises(InvalidRequest) as refused:
        check_url(f"http://{host}/hook", [])
    assert list(refused.value.errors or {}) == ["url"]


@pytest.mark.parametrize("host", ["example.org", "1e100.net", "123.org", "0xdead.org", "93.184.216.34"])
def test_names_and_addresses_of_the_internet_are_taken(host: str):
    check_url(f"https://{host}:8443/hook?x=1", [])


def test_names_of_private_networks_are_taken_where_such_a_network_is_allowed():
    check_url("http://localhost:1/", LOOPBACK)
    check_url("http://ci.internal/", [ip_network("10.0.0.0/8")])
    for host in ("127.1", "0x7f.1"):  # whatever is allowed: resolvers differ in what they make of them
        with pytest.raises(AddressRefused):
            check_url(f"http://{host}/", LOOPBACK)
    with pytest.raises(AddressRefused):
        check_url("http://localhost/", [ip_network("10.0.0.0/8")])


def test_networks_may_be_allowed():
    check_address("10.1.2.3", [ip_network("10.1.0.0/16")])
    check_address("::ffff:10.1.2.3", [ip_network("10.1.0.0/16")])
    with pytest.raises(AddressRefused):
        check_address("10.2.0.1", [ip_network("10.1.0.0/16")])


def test_a_name_is_resolved_once_and_the_connection_goes_there(monkeypatch: pytest.MonkeyPatch):
    """A name that leads elsewhere a moment later (DNS rebinding) leads nowhere else here."""
    asked = []
    real = socket.getaddrinfo

    def lookup(host: str, *rest: Any, **more: Any) -> Any:
        if host != "hook.example":
            return real(host, *rest, **more)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "192.0.2.1", *rest, **more)

    with Receiver() as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        url = receiver.url.replace("127.0.0.1", "hook.example")
        assert post(url, b"{}", {}, LOOPBACK) == 204
        assert asked == ["hook.example"]
        assert receiver.received[0].headers["Host"] == url.removeprefix("http://")
        asked.clear()
        with pytest.raises(AddressRefused):
            post(url, b"{}", {}, [])


def test_one_private_address_among_others_is_refused(monkeypatch: pytest.MonkeyPatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 80)) for one in ("1.1.1.1", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(AddressRefused):
        post("http://hook.example/", b"{}", {}, [])


def test_a_receiver_that_answers_byte_by_byte_is_left(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "TOTAL_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        stopped = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                while not stopped.wait(0.05):
                    try:
                        connection.send(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with pytest.raises(NotSent):
                post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {}, LOOPBACK)
        finally:
            stopped.set()
            thread.join()


def test_a_receiver_without_a_certificate_is_told_nothing():
    with Receiver() as receiver, pytest.raises(NotSent, match="SSL"):
        post(receiver.url.replace("http:", "https:"), b"{}", {}, LOOPBACK)
    assert receiver.received == []

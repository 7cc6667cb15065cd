"""From where a request comes, and from whose page: what its headers may say of it, and what they may not."""

from ipaddress import ip_address

import pytest

from entrepot.api.place import from_foreign_page, network_of, place_of
from entrepot.api.read_budget import caller_of
from entrepot.commerce.webhook.rules import reachable

OURS = "https://shop.example"


def scope(*headers: tuple[bytes, bytes], client: str = "10.0.0.1") -> dict[str, object]:
    return {"client": (client, 4711), "headers": list(headers)}


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ([b"6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        ([b"6.6.6.6", b"203.0.113.9"], "203.0.113.9"),  # a proxy that adds a line of its own beneath what came
        ([b"6.6.6.6, 6.6.6.7", b"203.0.113.9"], "203.0.113.9"),
        ([b"203.0.113.9:51022"], "203.0.113.9"),
        ([b"[2001:db8::1]:51022"], "2001:db8::1"),
        ([b"::ffff:203.0.113.9"], "203.0.113.9"),
        ([b"fe80::1%eth0"], "fe80::1"),
        ([b"unknown"], "unknown"),
        ([], "10.0.0.1"),
    ],
)
def test_a_proxys_word_is_its_last_however_it_writes_it(lines: list[bytes], address: str) -> None:
    sent = scope(*((b"x-forwarded-for", line) for line in lines))
    assert place_of(sent, 1).address == address  # type: ignore[arg-type]  # as much of a scope as is asked


def test_another_port_is_no_other_network_and_not_all_of_ipv4_is_one() -> None:
    told = [place_of(scope(client=one), 0).network for one in ("::ffff:203.0.113.9", "203.0.113.10", "198.51.100.7")]  # type: ignore[arg-type]  # as above
    assert told == ["203.0.113.0/24", "203.0.113.0/24", "198.51.100.0/24"]
    ports = {place_of(scope((b"x-forwarded-for", b"192.0.2.1:%d" % port)), 1).network for port in (1, 2)}  # type: ignore[arg-type]  # as above
    assert ports == {network_of("192.0.2.1")}


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),  # a program
        ({"sec-fetch-site": "same-origin", "origin": "https://evil.example"}, False),  # what no page can set says more
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"origin": "https://shop.example"}, False),
        ({"origin": "http://LocalHost:8700", "host": "localhost:8700"}, False),
        ({"origin": "https://evil.example", "host": "localhost:8700"}, True),
        ({"origin": "http://localhost:8701", "host": "localhost:8700"}, True),
        ({"origin": "https://shop.example.evil.example"}, True),
        ({"origin": "null"}, True),
    ],
)
def test_a_page_is_foreign_by_its_site_or_where_none_is_said_by_its_origin(headers: dict[str, str], foreign: bool) -> None:
    sent = scope(*((name.encode(), value.encode()) for name, value in headers.items()))
    assert from_foreign_page(sent, OURS) is foreign  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"),  # noqa: S104  # nothing is bound
        *("::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "ff0e::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "::ffff:0:127.0.0.1"),
        *("2002:7f00:1::", "2002:a00:1::1", "2001::1"),
    ],
)
def test_no_address_that_leads_inside_is_sent_to_however_it_is_written(address: str) -> None:
    ip_address(address)  # it is one
    assert not reachable(address, private=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "::ffff:8.8.8.8", "2606:4700::1111", "2a00:1450:4001::200e"])
def test_an_address_of_the_internet_is_sent_to(address: str) -> None:
    assert reachable(address, private=False)


@pytest.mark.parametrize(
    ("client", "forwarded", "proxies", "caller"),
    [
        ("127.0.0.1", None, 0, ""),  # a laptop
        ("::1", None, 1, ""),  # a look at its health, past the proxy
        ("127.0.0.1", "8.8.8.8", 0, "address/127.0.0.1"),  # a proxy that nobody told of
        ("127.0.0.1", "8.8.8.8", 1, "network/8.8.8.0/24"),
        ("127.0.0.1", "192.168.7.20", 1, "address/192.168.7.20"),
        ("127.0.0.1", "unknown", 1, "network/unknown"),
        ("192.168.7.20", None, 0, "address/192.168.7.20"),
        ("192.168.7.21", "8.8.8.8", 0, "address/192.168.7.21"),  # nobody believes it
        ("8.8.4.4", None, 0, "network/8.8.4.0/24"),
        ("", None, 0, ""),
    ],
)
def test_everybody_who_reads_is_counted_but_this_machine_itself(
    client: str, forwarded: str | None, proxies: int, caller: str
) -> None:
    told = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    assert caller_of(scope(*told, client=client), proxies) == caller  # type: ignore[arg-type]  # as much of a scope as is asked

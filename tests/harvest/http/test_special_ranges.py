"""The guard as a function: no test connects to any of these."""

import ipaddress
from collections.abc import Callable

import pytest

from icf.harvest.http.special_ranges import is_public


@pytest.mark.parametrize(
    "network",
    [
        # IANA IPv4 Special-Purpose Address Registry: not globally reachable.
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.0.0/29",
        "192.0.0.8/32",
        "192.0.0.170/31",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "255.255.255.255/32",
        "224.0.0.0/4",
        # Clouds' own services: Azure, Oracle, Alibaba, IBM.
        "168.63.129.16/32",
        "192.0.0.192/32",
        "100.100.100.200/32",
        "161.26.0.0/16",
        "166.8.0.0/14",
        # The nearest PCP and TURN servers.
        "192.0.0.9/32",
        "192.0.0.10/32",
        "2001:1::1/128",
        "2001:1::2/128",
        "2001:1::3/128",
        # IANA IPv6 Special-Purpose Address Registry: not globally reachable.
        "::/128",
        "::1/128",
        "64:ff9b:1::/48",
        "100::/64",
        "100:0:0:1::/64",
        "2001:2::/48",
        "2001:10::/28",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        # No unicast at all, deprecated, or not assigned.
        "::/96",
        "::ffff:0:0:0/96",
        "200::/7",
        "4000::/3",
        "fec0::/10",
        "ff00::/8",
    ],
)
def test_no_address_of_a_special_range_is_public(network: str) -> None:
    range_ = ipaddress.ip_network(network)
    assert not is_public(range_[0])
    assert not is_public(range_[range_.num_addresses // 2])
    assert not is_public(range_[-1])


@pytest.mark.parametrize(
    "text",
    [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "93.184.216.34",
        "168.63.129.15",
        "172.32.0.0",
        "192.0.1.0",
        "198.20.0.0",
        "223.255.255.255",
        # Registered, and globally reachable.
        "192.31.196.1",
        "192.52.193.1",
        "192.175.48.1",
        "2001:3::1",
        "2001:4:112::1",
        "2001:20::1",
        "2620:4f:8000::1",
        "2001:200::1",
        "2606:4700::1111",
        "3ffe:ffff::1",
    ],
)
def test_an_address_of_the_open_internet_is_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


def _teredo(server: int, client: int) -> int:
    return 0x20010000 << 96 | server << 64 | client ^ 0xFFFFFFFF


EMBEDDED: dict[str, Callable[[int], int]] = {
    "mapped": lambda inner: 0xFFFF << 32 | inner,
    "6to4": lambda inner: 0x2002 << 112 | inner << 80 | 1,
    "a Teredo server": lambda inner: _teredo(inner, 0x01010101),
    "a Teredo client": lambda inner: _teredo(0x01010101, inner),
    "NAT64": lambda inner: 0x0064FF9B << 96 | inner,
    "ISATAP": lambda inner: 0x26064700 << 96 | 0x5EFE << 32 | inner,
    "ISATAP, unique": lambda inner: 0x26064700 << 96 | 0x02005EFE << 32 | inner,
    "ISATAP in 6to4": lambda inner: 0x200201010101 << 80 | 0x5EFE << 32 | inner,
}


@pytest.mark.parametrize("kind", EMBEDDED)
def test_an_embedded_address_decides(kind: str) -> None:
    def outer(text: str) -> ipaddress.IPv6Address:
        inner = int(ipaddress.IPv4Address(text))
        return ipaddress.IPv6Address(EMBEDDED[kind](inner))

    for text in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "168.63.129.16"):
        assert not is_public(outer(text)), text
    assert is_public(outer("93.184.216.34"))


def test_isatap_in_a_network_that_is_not_public_is_not_public() -> None:
    assert not is_public(ipaddress.ip_address("fe80::5efe:1.1.1.1"))
    assert not is_public(ipaddress.ip_address("2001:db8::200:5efe:1.1.1.1"))

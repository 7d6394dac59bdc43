"""Ranges of addresses that are not public, as registered.

The tables are those of IANA, so that what is refused does not depend on the version of
Python.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: IANA IPv4 Special-Purpose Address Registry (2025-10-09): what is not globally
#: reachable; then multicast (RFC 5771).
_NOT_PUBLIC_4 = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    # Also 192.0.0.9 and .10, which are reachable: the nearest PCP or TURN server.
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "224.0.0.0/4",
)

#: Public by the registry, but services of the machine's own cloud: Azure's, IBM's.
_CLOUDS_4 = ("168.63.129.16/32", "161.26.0.0/16", "166.8.0.0/14")

#: IANA Internet Protocol Version 6 Address Space (2019-09-13): all global unicast
#: addresses are in here, and no loopback, link-local, unique local or multicast one.
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")

#: IANA IPv6 Special-Purpose Address Registry (2025-10-09): what is in 2000::/3 and not
#: globally reachable.
_NOT_PUBLIC_6 = ("2001::/23", "2001:db8::/32", "3fff::/20")

#: ... and what is reachable within those.
_PUBLIC_6 = ("2001:3::/32", "2001:4:112::/48", "2001:20::/28", "2001:30::/28")

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Second half of an ISATAP address, before its IPv4 address (RFC 5214, section 6.1).
_ISATAP = (0x00005EFE, 0x02005EFE)


def _networks(texts: Iterable[str]) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


_NOT_PUBLIC = _networks((*_NOT_PUBLIC_4, *_CLOUDS_4, *_NOT_PUBLIC_6))
_PUBLIC = _networks(_PUBLIC_6)


def is_public(address: Address) -> bool:
    """Return whether an address belongs to the public internet.

    An IPv6 address that embeds IPv4 addresses (mapped, 6to4, Teredo, NAT64, ISATAP) is
    public if those are.

    >>> is_public(ipaddress.ip_address("::ffff:192.168.0.1"))
    False
    """
    if isinstance(address, ipaddress.IPv4Address):
        return not _is_in(address, _NOT_PUBLIC)
    inner, is_tunnel = _embedded(address)
    if not all(is_public(one) for one in inner):
        return False
    if is_tunnel:
        return True
    is_special = _is_in(address, _NOT_PUBLIC) and not _is_in(address, _PUBLIC)
    return address in _GLOBAL_6 and not is_special


def _is_in(address: Address, networks: tuple[_Network, ...]) -> bool:
    return any(address in network for network in networks)


def _embedded(
    address: ipaddress.IPv6Address,
) -> tuple[list[ipaddress.IPv4Address], bool]:
    """Return the IPv4 addresses in an address, and whether they alone say where it is.

    Packets to a mapped, 6to4, Teredo or NAT64 address go to the IPv4 address; one of
    ISATAP can be any machine's of its network.
    """
    last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    inner = [last] if int(address) >> 32 & 0xFFFFFFFF in _ISATAP else []
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped], True
    if address.sixtofour is not None:
        return [*inner, address.sixtofour], True
    if address.teredo is not None:
        return [*inner, *address.teredo], True
    if address in _NAT64:
        return [last], True
    return inner, False

"""Where a webhook may lead: to machines that all the world can reach, and to none that only ours can."""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address

CLOUDS = frozenset({IPv4Address("168.63.129.16")})
"""Public addresses at which a cloud answers its own machines alone."""
NAT64 = ipaddress.ip_network("64:ff9b::/32")
LEAST = 1024
WEB = (80, 443)


class Unreachable(Exception):  # noqa: N818 - it is an answer, not a fault of the program
    """Why somebody was not called."""


def addresses_of(host: str, port: int, *, private: bool = False) -> list[str]:
    """The addresses of a host; Unreachable if it has none, or one that is not for everybody, unless `private`.

    Whoever connects takes one of these, and asks for no name again: what a name stands for may change meanwhile.
    """
    if port not in WEB and port < LEAST and not private:
        raise Unreachable(f"port {port} is for something else; take 80, 443 or one above {LEAST - 1}")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(f"{host} is not known") from None
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    for address in addresses:
        if not private and not is_public(address):
            raise Unreachable(f"{host} is {address}, which is not public")
    return addresses


def is_public(address: str) -> bool:
    """Whether an address belongs to a machine that all the world can reach.

    >>> [is_public(one) for one in ("93.184.215.14", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1")]
    [True, False, False, False]
    """
    one = ipaddress.ip_address(address.partition("%")[0])
    return all(_is_global(each) for each in (one, *_within(one)))


def _is_global(one: IPv4Address | IPv6Address) -> bool:
    return one.is_global and not one.is_multicast and not one.is_reserved and one not in CLOUDS


def _within(one: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """Addresses of the old kind that one of the new kind leads to."""
    if isinstance(one, IPv4Address):
        return []
    inside = [one.ipv4_mapped, one.sixtofour, *(one.teredo or ())]
    if one in NAT64 or int(one) >> 32 == 0:
        inside.append(IPv4Address(int(one) & 0xFFFFFFFF))
    return [each for each in inside if each is not None]

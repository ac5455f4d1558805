"""Where a webhook may lead: to machines that all the world can reach, and to none that only ours can."""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address

INSIDE = tuple(map(ipaddress.ip_network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "::/96")))
"""What Python, in one version or another, takes for public, but at which a cloud or a network answers its own alone."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")
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
    return all(_is_global(one) for one in _meant(ipaddress.ip_address(address.partition("%")[0])))


def _is_global(one: IPv4Address | IPv6Address) -> bool:
    return one.is_global and not one.is_multicast and not one.is_reserved and not any(one in net for net in INSIDE)


def _meant(one: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """The addresses that have to be public for one to be: where an old one stands in a new one, that too."""
    if isinstance(one, IPv4Address):
        return [one]
    last = IPv4Address(int(one) & 0xFFFFFFFF)
    if one.ipv4_mapped is not None or one in NAT64:
        return [last]
    return [one, *(each for each in (one.sixtofour, *(one.teredo or ())) if each is not None)]

"""Seeds: the bags of a round are nobody's choice, and anybody can draw them again.

Before a round opens, the operator publishes the hash of a secret. The seed of the bags mixes that secret with the
first public randomness after the close, where a beacon is configured. When the round resolves, the secret is
revealed, and everybody can check that it is the one that was promised. What was submitted is never part of the
seed: an operator who knows the secret could try last uploads until the bags suit him [SPEC 1].
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any

SECRET_BYTES = 32
BEACON_BYTES = 32
"""Bytes of a value of public randomness."""


def commitment(secret: bytes) -> str:
    """What is published before the round opens: SHA-256(secret), in hex.

    >>> commitment(bytes(32))[:16]
    '66687aadf862bd77'
    """
    return hashlib.sha256(_secret(secret)).hexdigest()


def round_seed(round_number: int, secret: bytes, beacon: bytes = b"") -> bytes:
    """The seed of a round's bags, 32 bytes.

        SHA-256( netstring(round_number in decimal digits) netstring(secret) netstring(beacon) )

    `secret` has 32 bytes, `beacon` is the raw public randomness, empty where there is none. Source: [SPEC 1].

    >>> round_seed(210, bytes(32)).hex()[:16]
    'de0458a83a798288'
    """
    refuse_if_any(_bad_number(round_number))
    return hashlib.sha256(netstrings(b"%d" % round_number, _secret(secret), beacon)).digest()


def netstrings(*parts: bytes) -> bytes:
    """Byte strings, each as its length in decimal, a colon, itself, a comma: no two lists look alike.

    >>> netstrings(b"1", b"2"), netstrings(b"12", b"")
    (b'1:1,1:2,', b'2:12,0:,')
    """
    return b"".join(b"%d:%b," % (len(part), part) for part in parts)


def round_secret(master: bytes, round_number: int) -> bytes:
    """A round's secret from a master secret: HMAC-SHA-256(master, netstring(round number)).

    One master (32 bytes) to keep serves all rounds; a revealed secret says nothing about it, or about another round.
    """
    refuse_if_any(_bad_number(round_number))
    return hmac.digest(_secret(master), netstrings(b"%d" % round_number), "sha256")


def check_reveal(published: str, secret: bytes) -> None:
    """Refuse a revealed secret that is not the one committed to."""
    found = commitment(secret)
    if found != published:
        raise InputError(
            Problem(
                "secret_changed",
                f"the secret with SHA-256 {published}",
                f"one with {found}",
                "reveal the secret that was committed to before the round opened; its bags cannot be checked otherwise",
            )
        )


def provenance(beacon: bytes) -> str:
    """In words, what a seed rests on: to be shown wherever it is."""
    return "commit, reveal and public beacon" if beacon else "commit and reveal only"


@dataclass(frozen=True, slots=True)
class Beacon:
    """Public randomness that appears on a timetable: its `number` 1 at `genesis`, then one every `period`."""

    name: str
    genesis: datetime
    period: timedelta

    def time_of(self, number: int) -> datetime:
        """When a value appears."""
        return self.genesis + (number - 1) * self.period

    def first_after(self, close: datetime) -> int:
        """The number of the first value that appears after a moment, and the only one a round may use."""
        return max((close - self.genesis) // self.period + 2, 1)

    def check(self, number: int, close: datetime) -> None:
        """Refuse any other value: an earlier one was known before the close, a later one could be waited for."""
        expected = self.first_after(close)
        if number != expected:
            raise InputError(
                Problem(
                    "wrong_beacon",
                    f"value {expected} of {self.name}, the first after the close at {close.isoformat()}",
                    f"value {number}, of {self.time_of(number).isoformat()}",
                    "use the first value after the close",
                )
            )


QUICKNET = Beacon("drand quicknet", datetime.fromtimestamp(1_692_803_367, UTC), timedelta(seconds=3))
"""The League of Entropy's unchained beacon, chain 52db9ba7...84e971."""
BEACONS = {QUICKNET.name: QUICKNET}
"""The public randomness that a round may wait for, by name."""


def _secret(secret: bytes) -> bytes:
    if not isinstance(secret, bytes) or len(secret) != SECRET_BYTES:
        found = f"{len(secret)} bytes" if isinstance(secret, bytes) else type(secret).__name__
        fix = f"draw it with secrets.token_bytes({SECRET_BYTES})"
        raise InputError(Problem("bad_secret", f"{SECRET_BYTES} bytes", found, fix, "secret"))
    return secret


def _bad_number(number: int) -> list[Problem]:
    if isinstance(number, int) and number >= 0:
        return []
    return [Problem("bad_number", "a whole number, 0 or more", repr(number), "give the round's number", "round")]

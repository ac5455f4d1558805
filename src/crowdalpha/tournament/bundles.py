"""Bundles: the evidence of a round as one file, which anybody can read anywhere.

A zip with records as lines of canonical JSON (floats in hexadecimal), numbers as little-endian float64, in the order
of the ids in `universe.json`. The same evidence has the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from crowdalpha.scoring.problems import InputError, Problem
from crowdalpha.tournament import events
from crowdalpha.tournament.digests import as_json, from_json
from crowdalpha.tournament.events import canonical
from crowdalpha.tournament.evidence import Evidence
from crowdalpha.tournament.records import Score, Submission
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk

FORMAT = "crowdalpha round 1"
RECORDS: Mapping[str, type[Any]] = {
    "submissions": Submission,
    "at_risk": AtRisk,
    "scores": Score,
    "past": Score,
    "payouts": Payout,
}
FIX = "fetch the bundle again"
LARGEST = 2**33
"""Bytes that a bundle may hold unpacked: a round of 100,000 models and 10,000 ids."""
Record = TypeVar("Record")


def write(evidence: Evidence) -> bytes:
    """The bundle of a round."""
    about = {
        "format": FORMAT,
        "version": evidence.version,
        "round": as_json(evidence.round),
        "benchmarks": list(evidence.benchmarks),
        "secret": evidence.secret.hex(),
        "beacon": evidence.beacon.hex(),
        "balances": {name: str(amount) for name, amount in evidence.balances.items()},
    }
    members = {"about.json": canonical(about), "universe.json": evidence.universe, "features.bin": evidence.features}
    members |= {f"{name}.jsonl": lines_of(getattr(evidence, name)) for name in RECORDS}
    members |= {"events.jsonl": events.dump(evidence.events)}
    members |= {f"targets/{day}.bin": target for day, target in evidence.targets.items()}
    members |= {f"{name}.bin": ranks for name, ranks in evidence.ranks.items()}
    return pack(members)


def read(bundle: bytes) -> Evidence:
    """The evidence in a bundle; InputError (code `bundle_unreadable`) naming the first part that is none."""
    parts = unpack(bundle)
    about = _part(parts, "about.json", json.loads)
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise InputError(unreadable("about.json", f"a bundle of the format {FORMAT}"))
    kept: dict[str, Any] = {name: _part(parts, f"{name}.jsonl", _reader(kind)) for name, kind in RECORDS.items()}
    return _part(
        parts | {"about.json": b""},
        "about.json",
        lambda _: Evidence(
            round=from_json(Round, about["round"]),
            universe=_part(parts, "universe.json", _list_of_ids),
            features=_part(parts, "features.bin", bytes),
            benchmarks=tuple(about["benchmarks"]),
            ranks={name.removesuffix(".bin"): part for name, part in parts.items() if name.startswith("ranks/")},
            targets={
                int(name[len("targets/") : -len(".bin")]): part
                for name, part in parts.items()
                if name.startswith("targets/")
            },
            balances={name: int(amount) for name, amount in about["balances"].items()},
            secret=bytes.fromhex(about["secret"]),
            beacon=bytes.fromhex(about["beacon"]),
            events=_part(parts, "events.jsonl", events.load),
            version=str(about["version"]),
            **kept,
        ),
    )


def pack(members: Mapping[str, bytes]) -> bytes:
    """Named parts as a zip, always with the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            archive.writestr(zipfile.ZipInfo(name), members[name], zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def unpack(bundle: bytes) -> dict[str, bytes]:
    """The parts of a zip by name; InputError (code `bundle_unreadable`) for one that is damaged or far too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
            size = sum(info.file_size for info in archive.infolist())
            parts = {info.filename: archive.read(info) for info in archive.infolist() if size <= LARGEST}
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError):
        raise InputError(unreadable("bundle", "a zip as it was written")) from None
    if size > LARGEST:
        raise InputError(unreadable("bundle", f"at most {LARGEST:,} bytes unpacked"))
    return parts


def lines_of(records: Iterable[Any]) -> bytes:
    """Records as lines of canonical JSON."""
    return b"".join(canonical(as_json(record)) + b"\n" for record in records)


def unreadable(where: str, expected: str) -> Problem:
    """The problem of a part that is not what it should be."""
    return Problem("bundle_unreadable", expected, "something else", FIX, where)


def _reader(kind: type[Record]) -> Callable[[bytes], tuple[Record, ...]]:
    return lambda part: tuple(from_json(kind, json.loads(line)) for line in part.splitlines())


def _list_of_ids(part: bytes) -> bytes:
    ids = json.loads(part)
    if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
        raise ValueError
    return part


def _part(parts: Mapping[str, bytes], name: str, read: Callable[[bytes], Any]) -> Any:
    """What a part holds, or a refusal that names it."""
    try:
        return read(parts[name])
    except InputError as error:
        raise InputError(*(problem.at(name) for problem in error.problems)) from None
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise InputError(unreadable(name, "a part as it was written")) from None

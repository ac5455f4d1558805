"""CHECKS: one row a setting. What it may be, and how that is said."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crowdalpha.payouts import POLICIES
from crowdalpha.scoring.metrics import METRICS
from crowdalpha.settings.places import is_database, is_place
from crowdalpha.tournament.rounds import TIES
from crowdalpha.tournament.submissions import FLAVOURS


@dataclass(frozen=True, slots=True)
class Check:
    """What a setting is expected to be, and whether a value is."""

    expected: str
    holds: Callable[[Any], bool]


def _title(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _address(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value) is not None


def _host(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9A-Za-z.:-]{0,253}", value) is not None


def _mailbox(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9A-Za-z.!#$%&'*+/=?^_{}~-]+@[0-9A-Za-z.-]+", value) is not None


def _port(value: Any) -> bool:
    return _count(value) and bool(value <= 65535)


def _hours(value: Any) -> bool:
    return _number(value) and bool(0 <= value <= 240)


def _metrics(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) and name in METRICS for name in value)


def _one_of(*names: str) -> Check:
    return Check(f"one of {', '.join(names)}", lambda value: isinstance(value, str) and value in names)


NUMBER = Check("a number", _number)
COUNT = Check("a whole number, 1 or more", _count)
CHECKS = {
    "name": Check("text that can be printed", _title),
    "database": Check("sqlite:///FILE, postgresql://USER@HOST/NAME or memory://", is_database),
    "files": Check("a folder, or a URL such as s3://BUCKET/FOLDER", is_place),
    "submissions.flavour": _one_of(*FLAVOURS),
    "submissions.min_ids": COUNT,
    "submissions.lowest": NUMBER,
    "submissions.highest": NUMBER,
    "submissions.spread": Check("true or false", _flag),
    "submissions.fill": NUMBER,
    "rounds.rule": _one_of(*POLICIES),
    "rounds.metrics": Check(f"a list with some of {', '.join(METRICS)}", _metrics),
    "rounds.n_bags": COUNT,
    "rounds.final_bags": COUNT,
    "rounds.ties": _one_of(*TIES),
    "server.number": COUNT,
    "server.tournament": Check("text that can be printed", _title),
    "server.url": Check("http://HOST or https://HOST, with a port or a path if need be", _address),
    "server.sign_up": Check("true or false", _flag),
    "mail.host": Check("the name of a host that takes mail", _host),
    "mail.port": Check("1 to 65535", _port),
    "mail.starttls": Check("true or false", _flag),
    "mail.user": Check("text that can be printed", _title),
    "mail.sender": Check("an address such as cup@example.org", _mailbox),
    "notices.closing_hours": Check("0 to 240", _hours),
    "notices.private_addresses": Check("true or false", _flag),
}

"""`crowdalpha.toml`: what it may say, and all that is wrong with what it says."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from crowdalpha.scoring.problems import InputError, Problem, refuse_if_any
from crowdalpha.settings.checks import CHECKS, NUMBER
from crowdalpha.settings.places import database_url, files_place, without_password
from crowdalpha.tournament.rounds import FINAL_BAGS, N_BAGS
from crowdalpha.tournament.submissions import FLAVOURS, SubmissionRules

FILE = "crowdalpha.toml"
SECRET = "master.secret"
PLACES = {"database": "CROWDALPHA_DATABASE", "files": "CROWDALPHA_FILES"}
"""Settings that say where things are: variables of the environment go before them, and no backup holds them."""
SECRET_FILE = "CROWDALPHA_SECRET_FILE"
MAIL_PASSWORD = "CROWDALPHA_MAIL_PASSWORD"
"""The variable with the password for `mail.user`: it stands in no file and no backup."""
Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RoundDefaults:
    """What a round is scored by unless it says otherwise; the names are those of `Round`."""

    rule: str = "corr-or-twice-mmc"
    metrics: tuple[str, ...] = ("corr", "mmc2")
    n_bags: int = N_BAGS
    final_bags: int = FINAL_BAGS
    ties: str = "average"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What the server says of itself: the tournament's `number` and `tournament` name in both APIs, its address as
    others see it (`url`, "" for the one that a request came to), and whether people may open accounts themselves.
    """

    number: int = 8
    tournament: str = "classic"
    url: str = ""
    sign_up: bool = True


@dataclass(frozen=True, slots=True)
class MailSettings:
    """By which host the server sends mail ("" for none at all), and from whom. A password is only sent through TLS."""

    host: str = ""
    port: int = 587
    starttls: bool = True
    user: str = ""
    sender: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """How many hours before a close those are told who have sent nothing, half the window at most; and whether webhooks
    may lead into private networks, which lets every participant speak to what listens there.
    """

    closing_hours: float = 6
    private_addresses: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """A tournament's settings, complete: paths and URLs are absolute, and nothing is wrong with them.

    `database` may hold a password; it is not shown. `secret` is the path of the file with the master secret.
    """

    folder: Path
    name: str
    database: str = field(repr=False)
    files: str
    secret: Path
    rules: SubmissionRules
    rounds: RoundDefaults
    server: ServerSettings = ServerSettings()
    mail: MailSettings = MailSettings()
    notices: NoticeSettings = NoticeSettings()


def read(folder: Path | str, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of the tournament in a folder.

    InputError with all that is wrong with the file and the environment: `settings_missing`, `settings_unreadable`,
    `unknown_setting`, `bad_setting`.
    """
    return settle(said_in(Path(folder)), Path(folder), environ)


def said_in(folder: Path) -> dict[str, Any]:
    """What the file in a folder says, unchecked."""
    path = folder / FILE
    try:
        return parse(path.read_bytes(), str(path))
    except FileNotFoundError:
        fix = "name the folder of a tournament, or make one with `crowdalpha init`"
        raise InputError(Problem("settings_missing", f"a folder with {FILE}", "none", fix, str(folder))) from None


def parse(content: bytes, where: str) -> dict[str, Any]:
    """TOML as a dictionary."""
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        fix = "correct the line; texts stand in quotes"
        raise InputError(Problem("settings_unreadable", "TOML in UTF-8", str(error), fix, where)) from None


def settle(said: Said, folder: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from what a file says and the environment overrides."""
    folder = folder.absolute()
    flat = dict(_flat(said))
    sources = {name: f"{FILE}, {name}" for name in flat}
    for name, variable in PLACES.items():
        if environ.get(variable):
            flat[name], sources[name] = environ[variable], variable
    refuse_if_any(_problems(flat, sources))
    return Settings(
        folder=folder,
        name=flat.get("name", folder.name),
        database=database_url(flat.get("database", "sqlite:///tournament.db"), folder),
        files=files_place(flat.get("files", "files"), folder),
        secret=folder / (environ.get(SECRET_FILE) or SECRET),
        rules=_rules(_under("submissions", flat)),
        rounds=_rounds(_under("rounds", flat)),
        server=ServerSettings(**_under("server", flat)),
        mail=MailSettings(**_under("mail", flat), password=environ.get(MAIL_PASSWORD, "")),
        notices=NoticeSettings(**_under("notices", flat)),
    )


def to_toml(said: Said) -> bytes:
    """What a file may say, as TOML."""
    plain = {name: value for name, value in said.items() if not isinstance(value, Mapping)}
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in plain.items()]
    for table, values in said.items():
        if isinstance(values, Mapping):
            lines += ["", f"[{table}]"]
            lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return ("\n".join(lines) + "\n").encode()


def portable(said: Said) -> dict[str, Any]:
    """What is true of a tournament wherever it is kept."""
    return {name: value for name, value in said.items() if name not in PLACES}


def _flat(said: Said, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting by its dotted name."""
    for name, value in said.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _problems(flat: Said, sources: Mapping[str, str]) -> Iterator[Problem]:
    for name, value in flat.items():
        if name not in CHECKS:
            near = get_close_matches(name, CHECKS, 1)
            fix = f"did you mean {near[0]}?" if near else "take it out"
            yield Problem("unknown_setting", f"one of {', '.join(CHECKS)}", name, fix, sources[name])
        elif not CHECKS[name].holds(value):
            found = without_password(value) if name in PLACES else repr(value)
            yield Problem("bad_setting", CHECKS[name].expected, found[:120], "correct it", sources[name])
    yield from _crossed(flat.get("submissions.lowest", 0.0), flat.get("submissions.highest", 1.0))
    yield from _half_said(flat)


def _crossed(lowest: Any, highest: Any) -> Iterator[Problem]:
    if NUMBER.holds(lowest) and NUMBER.holds(highest) and lowest >= highest:
        yield Problem("bad_setting", "lowest below highest", f"{lowest} and {highest}", "correct them", "submissions")


def _half_said(flat: Said) -> Iterator[Problem]:
    """Mail without a sender; a password that everybody on the way could read."""
    if flat.get("mail.host") and not flat.get("mail.sender"):
        yield Problem("bad_setting", "mail.sender, who the mail is from", "none", "name an address", "mail")
    if flat.get("mail.user") and flat.get("mail.starttls") is False:
        fix = "set mail.starttls, or leave out mail.user"
        yield Problem("bad_setting", "a password that only travels through TLS", "starttls = false", fix, "mail")


def _under(table: str, flat: Said) -> dict[str, Any]:
    return {name.removeprefix(f"{table}."): value for name, value in flat.items() if name.startswith(f"{table}.")}


def _rules(said: dict[str, Any]) -> SubmissionRules:
    return replace(FLAVOURS[said.pop("flavour", "classic")], **said)


def _rounds(said: dict[str, Any]) -> RoundDefaults:
    given = RoundDefaults(**said | ({"metrics": tuple(said["metrics"])} if "metrics" in said else {}))
    return given if "final_bags" in said else replace(given, final_bags=max(given.n_bags, given.final_bags))

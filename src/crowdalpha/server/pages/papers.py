"""Pages to read: the rules with their sources, and how anybody checks what was done."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastapi import Request
from starlette.responses import JSONResponse, Response

from crowdalpha.diagnostics.glossary import terms
from crowdalpha.engine import Engine
from crowdalpha.payouts import reputation_rules, rules
from crowdalpha.payouts.parameters import STATUSES
from crowdalpha.server.pages.render import HEADERS, answer
from crowdalpha.server.pages.route import pages
from crowdalpha.server.pages.visitors import Visitor, door_of, visitor_of
from crowdalpha.server.views.rounds import Promise, promises
from crowdalpha.tournament.records import Model, Submission
from crowdalpha.tournament.rounds import Round

router = pages()
TERMS = ("round", "stake", "at_risk", "payout", "metamodel", "corr", "mmc2", "bags", "interval", "rho")
LISTED = 60
"""Rounds whose commitments are listed, the newest."""
FORUM = re.compile(r"F(\d+)(?:#(\d+))?")
REVISION = re.compile(r"(docs|ex)@([0-9a-f]{7})")
REPOSITORIES = {"docs": "docs", "ex": "example-scripts"}
ISSUE = re.compile(r"(github\.com/[\w.-]+/[\w.-]+) issue (\d+)")


@router.get("/rules")
def all_rules(request: Request) -> Response:
    """Every dated rule, the newest first, with where it is written."""
    payout, reputation = tuple(reversed(rules())), tuple(reversed(reputation_rules()))
    in_use = _in_use(door_of(request).service.engine)
    links = {source: link_of(source) for rule in (*payout, *reputation) for source in rule.sources}
    return answer(
        request,
        "rules.html",
        payout=payout,
        reputation=reputation,
        links=links,
        statuses=STATUSES,
        terms=terms(*TERMS),
        in_use=in_use,
        in_use_names={name for name, _ in in_use},
        dated={rule.name for rule in payout},
    )


@router.get("/verify")
def verify(request: Request) -> Response:
    """How anybody checks a round, the head of the log, and what every round has promised."""
    door, visitor = door_of(request), visitor_of(request)
    rounds = promises(door.service.engine)
    shown = rounds[:LISTED]
    shares = _shares(door.service.engine, visitor, shown)
    log = door.log.read(door.service.engine)
    return answer(request, "verify.html", rounds=shown, older=len(rounds) > LISTED, shares=shares, log=log)


@router.get("/verify/head.json")
def head(request: Request) -> Response:
    """The head of the log, for whoever writes it down by a program."""
    door = door_of(request)
    log = door.log.read(door.service.engine)
    said = {"number": log.head.number, "hash": log.head.hash, "at": log.last.at.isoformat() if log.last else None}
    return JSONResponse(said, headers=HEADERS | {"Cache-Control": "no-cache"})


def link_of(source: str) -> str:
    """Where a source is to be read on the web; "" if it is a page of the documentation.

    >>> link_of("F93#17"), link_of("docs@ae673bc")
    ('https://forum.numer.ai/t/93/17', 'https://github.com/numerai/docs/tree/ae673bc')
    """
    if found := FORUM.fullmatch(source):
        return f"https://forum.numer.ai/t/{found[1]}" + (f"/{found[2]}" if found[2] else "")
    if found := REVISION.fullmatch(source):
        return f"https://github.com/numerai/{REPOSITORIES[found[1]]}/tree/{found[2]}"
    if found := ISSUE.fullmatch(source):
        return f"https://{found[1]}/issues/{found[2]}"
    return ""


def _in_use(engine: Engine) -> list[tuple[str, str]]:
    """The rules that this tournament's rounds are paid by, the newest first, with the rounds in words."""
    with engine.store.reading() as work:
        rounds = work.find(Round)
    named: dict[str, list[int]] = {}
    for round in rounds:
        named.setdefault(round.rule, []).append(round.number)
    newest = sorted(named.items(), key=lambda pair: -max(pair[1]))
    return [(rule, _span(numbers)) for rule, numbers in newest]


def _span(numbers: Iterable[int]) -> str:
    """Rounds in words.

    >>> _span([3]), _span([1, 2, 3]), _span([1, 2, 5])
    ('Round 3', 'Rounds 1 to 3', 'Rounds 1 to 2, 5')
    """
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    words = ", ".join(str(low) if low == high else f"{low} to {high}" for low, high in parts)
    return f"Round {words}" if len(parts) == 1 and parts[0][0] == parts[0][1] else f"Rounds {words}"


def _shares(engine: Engine, visitor: Visitor | None, rounds: Iterable[Promise]) -> dict[int, list[Model]]:
    """The visitor's models that took part in each resolved round."""
    if visitor is None:
        return {}
    resolved = {promise.round.number for promise in rounds if promise.revealed}
    found: dict[int, list[Model]] = {}
    with engine.store.reading() as work:
        for model in work.find(Model, account=visitor.caller.account):
            for number in {sent.round for sent in work.find(Submission, model=model.id)} & resolved:
                found.setdefault(number, []).append(model)
    return found

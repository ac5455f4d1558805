"""Leaderboards, of models and of accounts, and where a model stood after each of the latest rounds."""

from __future__ import annotations

from typing import Any

from crowdalpha.engine import Board
from crowdalpha.scoring.problems import InputError
from crowdalpha.server.graphql.asked import Asked, answers
from crowdalpha.server.graphql.fields.rounds import most
from crowdalpha.server.graphql.scalars import number
from crowdalpha.server.standings import Stood
from crowdalpha.tournament.leaderboard import Standing

MOST = 1000
"""Lines of one answer."""
DAYS = 30
"""Rounds after which it is told where a model stood."""
CORR, MMC, BMC, FNC = ("corr", "numerai_corr"), ("mmc2", "mmc2024", "mmc1"), ("bmc",), ("fnc",)
"""The metrics of this tournament that stand under one name; the first that is scored counts."""
Lines = dict[str, Standing]


@answers("Query.v2Leaderboard", "Query.signalsLeaderboard", "Query.cryptosignalsLeaderboard")
def leaderboard(asked: Asked, limit: int | None = None, offset: int | None = None) -> list[dict[str, Any]]:
    """Models, best first."""
    ranked = _lines(asked, MMC)
    beside = {name: _lines(asked, metrics) for name, metrics in (("corr", CORR), ("bmc", BMC), ("fnc", FNC))}
    models, _ = asked.service.results.names()
    return [
        {
            "username": models[line.name].name,
            "modelId": line.name,
            "rank": line.rank,
            "nmrStaked": asked.service.staking.public(line.name),
            "mmc": number(line.value),
            "mmcRep": number(line.value),
            "mmcRank": line.rank,
            "team": False,
        }
        | dict.fromkeys(("corrRep", "corr20Rep", "corr20V2Rep"), _value(beside["corr"], line.name))
        | {"bmcRep": _value(beside["bmc"], line.name), "fncRep": _value(beside["fnc"], line.name)}
        for line in _part(ranked, limit, offset)
        if line.name in models
    ]


@answers("Query.accountLeaderboard")
def account_leaderboard(asked: Asked, limit: int | None = None, offset: int | None = None) -> list[dict[str, Any]]:
    """Accounts, best first."""
    ranked, corr = _lines(asked, MMC, by_account=True), _lines(asked, CORR, by_account=True)
    models, accounts = asked.service.results.names()
    owned: dict[str, list[str]] = {}
    for model in models.values():
        owned.setdefault(model.account, []).append(model.id)
    return [
        {
            "username": accounts[line.name].name,
            "displayName": accounts[line.name].name,
            "rank": line.rank,
            "nmrStaked": sum(asked.service.staking.public(model) for model in owned.get(line.name, ())),
            "mmc": number(line.value),
        }
        | dict.fromkeys(("v2Corr20", "corrV4"), _value(corr, line.name))
        for line in _part(ranked, limit, offset)
        if line.name in accounts
    ]


def daily(asked: Asked, model: str) -> list[dict[str, Any]]:
    """Where a model stood after each of the latest rounds, newest first."""
    metrics = (*CORR, *MMC, *FNC)
    return [_stood(stood) for stood in asked.service.standings.of(asked.who, model, metrics, DAYS)]


def _stood(stood: Stood) -> dict[str, Any]:
    told: dict[str, Any] = {"date": stood.at}
    for metrics, names in ((CORR, ("corr", "corr20d")), (MMC, ("mmc", "mmc20d")), (FNC, ("fnc",))):
        value, rank = next((stood.places[metric] for metric in metrics if metric in stood.places), (None, None))
        for name in names:
            told |= {f"{name}Rep": number(value), f"{name}Rank": rank}
    return told


def _lines(asked: Asked, metrics: tuple[str, ...], **how: Any) -> Lines:
    """The lines of a leaderboard by name, best first; none if no round has been scored by any of the metrics."""
    for metric in metrics:
        try:
            board: Board = asked.service.results.leaderboard(asked.who, metric, **how)
        except InputError:
            continue
        return {line.name: line for line in board.lines}
    return {}


def _part(lines: Lines, limit: int | None, offset: int | None) -> list[Standing]:
    start = max(0, offset or 0)
    return list(lines.values())[start : start + most(limit, MOST)]


def _value(lines: Lines, name: str) -> float | None:
    return number(lines[name].value) if name in lines else None

"""The demo's tournaments: the shipped crowds played as real rounds, with stakes that compound, and kept in folders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import count
from pathlib import Path

from crowdalpha.demo.crowd import Crowd
from crowdalpha.diagnostics.data import Run
from crowdalpha.diagnostics.report import season_report as draw_season
from crowdalpha.diagnostics.season import SeasonReport
from crowdalpha.settings.replays import replay_into
from crowdalpha.simulation.season import season
from crowdalpha.tables.crowd import Crowd as Aligned
from crowdalpha.tables.opening import opening_stakes
from crowdalpha.tournament.rounds import FINAL_BAGS

RULE, CHOICE = "corr-or-twice-mmc", (0.0, 2.0)
"""All are paid on what they add, as the announcement of MMC2 had it: 2 x MMC2 and nothing else [F220]."""
MOST = 200
"""Rounds of a tournament; of a longer history the last ones are played."""
STRONG = (
    "The rule of 2020 was made for stocks, where scores are hundredths. Flu forecasts contribute ten times that, so "
    "more than half of all payouts meet its limit, and stakes grow as they never could there. Rules that also pay CORR "
    "would pay nearly everybody the limit, and payout factors begin at 72,000 coins at risk, far above what is staked "
    "here."
)
"""What must be said of the FluSight tournament."""
Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Tournament:
    """A crowd's season, the page that shows it, and the folder in which its rounds are kept."""

    season: SeasonReport
    page: Path
    folder: Path


def play_rounds(
    crowd: Crowd, aligned: Aligned, stakes: object, folder: Path, told: Told, *, rounds: int = MOST
) -> Tournament:
    """Play the last eras of a crowd as rounds, keep them under `folder`, and write the page of the season.

    A tournament that is there from an earlier run stays; the new one gets a number behind its name.
    """
    name = crowd.name.split()[0].lower()
    history = replace(aligned, eras=aligned.eras[-rounds:])
    place = fresh(folder, f"{name}-tournament")
    played = replay_into(
        place,
        history,
        opening_stakes(stakes, history.models),
        rule=RULE,
        choice=CHOICE,
        name=f"{crowd.name}, replayed with simulated stakes",
        told=lambda what, done, all: told(f"{what} of {crowd.name}", done, all),
        environ={},
    )
    shown = season(
        history,
        played,
        _run(crowd, history),
        title=f"{crowd.name}: the season",
        rule=RULE,
        choice=CHOICE,
        descriptions=crowd.descriptions,
        caveats=(*crowd.caveats, *((STRONG,) if name == "flusight" else ())),
    )
    page = folder / f"{name}-season.html"
    page.write_text(draw_season(shown), encoding="utf-8")
    return Tournament(shown, page, place)


def fresh(folder: Path, name: str) -> Path:
    """A folder of that name which is not there yet, with a number behind it if need be."""
    names = (name if k == 1 else f"{name}-{k}" for k in count(1))
    return next(folder / each for each in names if not (folder / each).exists())


def _run(crowd: Crowd, history: Aligned) -> Run:
    sizes = [len(era.ids) for era in history]
    low, high = min(sizes), max(sizes)
    ids = f"{low:,} a round" if low == high else f"{low:,} to {high:,} a round"
    return Run(
        len(sizes),
        len({name for era in history for name in era.models}),
        ids,
        FINAL_BAGS,
        "0",
        version("crowdalpha"),
        credits=crowd.attribution,
    )

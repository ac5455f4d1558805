"""A report is one HTML file: styles, drawings and a few lines of script inside it, nothing fetched from anywhere."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from . import formats, glossary, whiskers
from .bars import WORST, draw_bars, draw_exposures, mean
from .data import (
    FEW,
    CrowdReport,
    Diagnosis,
    Heatmap,
    Interval,
    LeaderboardRow,
    Lines,
    Neutralized,
    Persistence,
    Scatter,
    Series,
    contribution,
)
from .formats import signed
from .heatmap import draw_heatmap, has_gaps, neighbours
from .layers import draw_layers
from .lines import GREY_LINES, draw_drawdown, draw_lines, final, thinned
from .money import draw_flows, draw_pile
from .ordering import arranged
from .scatter import draw_scatter
from .season import Layers, SeasonReport
from .svg import Svg, element, template
from .vectors import draw_vectors, sentence

if TYPE_CHECKING:
    from jinja2 import Environment

WIDE, NARROW = 1040, 358
"""The two widths every chart is drawn for, in pixels; the page shows the one that fits."""

FIELD = 120
"""The similarity of more models than this cannot be read, and would make the page heavy."""

CROWD_TERMS = (
    "era",
    "stake",
    "metamodel",
    "corr",
    "mmc2",
    "interval",
    "sharpe",
    "bags",
    "rho",
    "similarity",
    "persistence",
)
DIAGNOSIS_TERMS = (
    "era",
    "metamodel",
    "corr",
    "mmc2",
    "fnc",
    "interval",
    "sharpe",
    "drawdown",
    "exposure",
    "exposure_metrics",
    "neutralization",
    "rho",
)
SEASON_TERMS = ("round", "stake", "at_risk", "payout", "compounding", "metamodel", "corr", "mmc2", "bags", "interval")
TIMING = (
    "The eras were played as rounds of a simulated clock: one opens every week, takes submissions for two days and is "
    "paid four weeks after it opened. So four are at risk at once, and what a round pays is staked four rounds later."
)


def crowd_report(report: CrowdReport) -> str:
    """The page of a scored crowd as one HTML document.

    >>> from crowdalpha.diagnostics.data import CrowdReport, Leaderboard, LeaderboardRow, Lines, Run
    >>> run = Run(eras=1, models=1, ids="5", bags=20, seed="0", version="0.1.0")
    >>> rows = (LeaderboardRow("a", stake=1.0, share=1.0, corr=0.9, mmc2=0.6),)
    >>> lines = Lines("Cumulative CORR", "cumulative CORR", ("era1",), ())
    >>> crowd_report(CrowdReport("Crowd", run, Leaderboard(rows), lines)).startswith("<!doctype html>")
    True
    """
    rows = report.leaderboard.rows
    return _render(
        "crowd.html",
        report=report,
        key_figures=_crowd_figures(report),
        scale=whiskers.shared_scale(rows),
        stakes=formats.amounts([row.stake for row in rows]),
        scatter=contribution(rows),
        planes=[value for value in report.vectors if value.known],
        likeness=_likeness(report),
        halves=None if report.persistence is None else halves(report.persistence),
        terms=glossary.terms(*CROWD_TERMS),
        intro=glossary.MMC2_IN_THREE_SENTENCES,
    )


def diagnosis_report(diagnosis: Diagnosis) -> str:
    """The page of one participant's model as one HTML document."""
    return _render(
        "diagnosis.html",
        report=diagnosis,
        steps=_neutralized_lines(diagnosis),
        terms=glossary.terms(*DIAGNOSIS_TERMS),
        verdict=_verdict(diagnosis),
        worst=WORST,
    )


def season_report(report: SeasonReport) -> str:
    """The page of a replayed season as one HTML document."""
    return _render(
        "season.html",
        report=report,
        key_figures=_season_figures(report),
        terms=glossary.terms(*SEASON_TERMS),
        timing=TIMING,
    )


def halves(value: Persistence) -> Scatter:
    """Persistence as a scatter to draw: first half across, second half upwards, the diagonal where both are equal."""
    corners = ("added twice", "added later", "took away twice", "added at first")
    title = "Contribution, first half against second"
    return Scatter(title, "mean MMC2, first half", "second half", value.points, corners, diagonal=True)


def both_widths(draw: Callable[..., Svg], value: object, name: str, **heights: int) -> Svg:
    """A chart drawn twice, for wide and for narrow pages; the page's style shows one of them.

    Heights are `wide` and `narrow`, in pixels, for charts that take one.
    """
    wide = {"height": heights["wide"]} if "wide" in heights else {}
    narrow = {"height": heights["narrow"]} if "narrow" in heights else {}
    return Svg(
        element("div", draw(value, name=f"{name}-w", width=WIDE, **wide), class_="wide")
        + element("div", draw(value, name=f"{name}-n", width=NARROW, **narrow), class_="narrow")
    )


def milestones(lines: Lines | Layers, count: int = 6) -> tuple[int, ...]:
    """A few evenly spread eras, the last among them: the columns of the table behind a line chart."""
    return tuple(thinned(len(lines.eras), count - 1))


def ranked(lines: Lines) -> tuple[Series, ...]:
    """The series, best final value first."""
    return tuple(sorted(lines.series, key=lambda s: (math.isnan(final(s)), -final(s), s.name)))


def outcome(row: LeaderboardRow) -> str:
    """Where a model's interval lies: above, below or across zero; few if it stands on too few eras."""
    if row.interval is None:
        return "few" if row.rough else "unknown"
    if row.rough:
        return "few"
    if not row.interval.leaves_out(0.0):
        return "across"
    return "above" if row.interval.low > 0 else "below"


def _crowd_figures(report: CrowdReport) -> list[tuple[str, str, str]]:
    """The few numbers at the top of the page: label, figure, explanation."""
    rows = report.leaderboard.rows
    outcomes = [outcome(row) for row in rows]
    level = formats.percent(report.leaderboard.level, 0)
    figures = []
    crowd = next((s for s in report.over_time.series if s.emphasis == "metamodel"), None)
    if crowd is not None and report.over_time.eras:
        average = final(crowd) / max(1, sum(not math.isnan(value) for value in crowd.values))
        scored = [row.corr for row in rows if not math.isnan(row.corr)]
        behind = sum(value < average for value in scored)
        figures.append(("Metamodel’s mean CORR", signed(average), f"higher than {behind} of {len(scored)} models"))
    if any(kind != "unknown" for kind in outcomes):
        figures.append(
            ("Add to the crowd", str(outcomes.count("above")), f"models whose {level} interval lies above zero")
        )
        few = outcomes.count("few")
        why = "models whose interval covers zero" + (
            f", or ({few} of them) that have fewer than {FEW} eras" if few else ""
        )
        figures.append(("Cannot be told from zero", str(outcomes.count("across") + few), why))
        figures.append(("Take away from it", str(outcomes.count("below")), "models whose interval lies below zero"))
    return figures


def _season_figures(report: SeasonReport) -> list[tuple[str, str, str]]:
    """The few numbers at the top of a season's page: label, figure, explanation."""
    staked = [row for row in report.rows if row.opening > 0]
    earned, burned = sum(row.change > 0 for row in staked), sum(row.change < 0 for row in staked)
    largest = max(report.rows, key=lambda row: row.closing_share, default=None)
    figures = [
        ("Earned", str(earned), f"of {len(staked)} staked models ended with more than they began with"),
        ("Burned", str(burned), "ended with less"),
    ]
    if largest is not None:
        why = f"of all stakes is held by {formats.shorten(largest.model, 40)}, which began with "
        figures.append(
            (
                "Largest at the end",
                formats.percent(largest.closing_share),
                f"{why}{formats.percent(largest.opening_share)}",
            )
        )
    crowd = mean(report.crowd.values)
    figures.append(("Metamodel’s mean CORR", signed(crowd), f"over {report.run.eras} rounds, weighted by these stakes"))
    return figures


def _likeness(report: CrowdReport) -> Heatmap | None:
    """The similarities with alike models side by side; of a very large crowd, the largest stakes."""
    if report.similarity is None:
        return None
    stakes = {row.model: row.stake for row in report.leaderboard.rows}
    names = report.similarity.names
    kept = sorted(range(len(names)), key=lambda i: -stakes.get(names[i], 0.0))[:FIELD]
    return arranged(report.similarity, sorted(kept))


def _neutralized_lines(diagnosis: Diagnosis) -> Lines | None:
    """The cumulative scores after neutralisation: the base in bold, the rest in their own styles; not of one era."""
    if not diagnosis.neutralized or len(diagnosis.per_era[0].eras) < 2:
        return None
    series = tuple(_step(step) for step in diagnosis.neutralized)
    title = "Cumulative score, base against neutralised"
    return Lines(title, f"cumulative {diagnosis.score_unit}", diagnosis.per_era[0].eras, series)


def _step(step: Neutralized) -> Series:
    words = formats.percent(step.proportion, 0)
    base = step.proportion == 0
    return Series(f"base, {words}" if base else words, step.cumulative, "metamodel" if base else "highlight")


def _verdict(diagnosis: Diagnosis) -> str:
    """MMC2 and its interval (else the first statistic that has one) as a sentence; empty if none has."""
    judged = max((s for s in diagnosis.statistics if s.interval), key=lambda s: "MMC2" in s.name, default=None)
    if judged is None or judged.interval is None:
        return ""
    shown = (
        f"{judged.name} is {signed(judged.value, judged.digits)}; its {formats.percent(diagnosis.level, 0)} interval"
    )
    shown += f" runs from {formats.between(judged.interval.low, judged.interval.high, judged.digits)}"
    if not judged.interval.leaves_out(0.0):
        return f"{shown} and covers zero: these eras do not tell it from no effect at all."
    if diagnosis.run.eras < FEW:
        return f"{shown}, but stands on fewer than {FEW} eras, too few to judge by."
    return f"{shown}, all of it {'above' if judged.value > 0 else 'below'} zero."


def _interval(interval: Interval | None, digits: int = 4) -> str:
    return formats.MISSING if interval is None else formats.between(interval.low, interval.high, digits)


def _digest(script: str) -> str:
    """A script's name in the page's own security policy, which lets no other script run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    """Templates with autoescape on, strict about names; jinja2 is imported here because it is slow to."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("crowdalpha.diagnostics"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_legible,
    )
    environment.filters.update(
        signed=signed,
        plain=formats.plain,
        percent=formats.percent,
        interval=_interval,
        final=final,
        mean=mean,
        shorten=formats.shorten,
        times=formats.times,
        signed_percent=formats.signed_percent,
    )
    environment.globals.update(_drawings())
    return environment


def _legible(value: Any) -> Any:
    """Names as they are printed: no control characters; markup stays as it is."""
    return value if hasattr(value, "__html__") or not isinstance(value, str) else formats.legible(value)


def _drawings() -> dict[str, Any]:
    """What the templates may call."""
    return {
        "both_widths": both_widths,
        "draw_lines": draw_lines,
        "draw_drawdown": draw_drawdown,
        "draw_layers": draw_layers,
        "draw_flows": draw_flows,
        "draw_pile": draw_pile,
        "draw_bars": draw_bars,
        "draw_exposures": draw_exposures,
        "draw_scatter": draw_scatter,
        "draw_vectors": draw_vectors,
        "draw_heatmap": draw_heatmap,
        "draw_whisker": whiskers.draw_whisker,
        "draw_scale": whiskers.draw_scale,
        "has_gaps": has_gaps,
        "neighbours": neighbours,
        "milestones": milestones,
        "ranked": ranked,
        "outcome": outcome,
        "sentence": sentence,
        "grey_lines": GREY_LINES,
        "few": FEW,
    }


def _render(page: str, **context: object) -> str:
    script = template("table.js")
    styles = Svg(template("page.css") + template("charts.css"))
    context |= {"styles": styles, "script": Svg(script), "digest": _digest(script)}
    return _environment().get_template(page).render(context)


__all__: Sequence[str] = ("crowd_report", "diagnosis_report", "season_report")

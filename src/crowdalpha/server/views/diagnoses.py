"""What was found in predictions of past eras, as charts and figures."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crowdalpha.diagnostics.bars import draw_bars, draw_exposures
from crowdalpha.diagnostics.data import Bars, Exposures, Lines, Series, cumulative
from crowdalpha.diagnostics.lines import draw_lines
from crowdalpha.server.charts import Chart, Column
from crowdalpha.tournament.people import Diagnostic

SHOWN = {"corr": "CORR", "mmc2": "MMC2", "fnc": "FNC"}
"""The series that are drawn; the table of figures has all."""
NO_SCORES = ("exposure_max", "benchmark_correlation")
WAITS = ("pending", "running")
NAMES = {
    "corr_plus_mmc2": "CORR + MMC2",
    "numerai_corr": "CORR of 2023",
    "exposure_max": "largest exposure",
    "benchmark_correlation": "correlation with the example",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """A series in a few numbers; NaN where one has no meaning."""

    name: str
    mean: float
    low: float
    high: float
    std: float
    sharpe: float
    drawdown: float
    hits: float


@dataclass(frozen=True, slots=True)
class Found:
    """An upload of past eras: where it stands and, once it is done, everything about it."""

    one: Diagnostic
    model: str
    content: Mapping[str, Any]

    @property
    def waits(self) -> bool:
        """Whether somebody still has to look at it."""
        return self.one.status in WAITS

    @property
    def eras(self) -> tuple[str, ...]:
        """The eras that were sent in."""
        return tuple(self.content.get("eras", ()))

    @property
    def caveats(self) -> tuple[str, ...]:
        """What to keep in mind."""
        return tuple(self.content.get("diagnosis", {}).get("caveats", ()))

    @property
    def problems(self) -> tuple[Mapping[str, Any], ...]:
        """What is wrong with the file, one by one."""
        return tuple(self.content.get("errors", ()))

    @property
    def figures(self) -> tuple[Figures, ...]:
        """Every series in numbers."""
        return tuple(_figures(name, said) for name, said in self.content.get("figures", {}).items())

    @property
    def charts(self) -> tuple[Chart, ...]:
        """The scores added up, each of them era by era, and the exposures; what is not known is left out."""
        series = {
            name: _known(self.content["scores"][name]) for name in SHOWN if name in self.content.get("scores", {})
        }
        if not series:
            return ()
        exposed = self.content["diagnosis"].get("exposures")
        bars = tuple(_bars(name, self.eras, values) for name, values in series.items())
        return (_added_up(self.eras, series), *bars, *((_exposures(exposed),) if exposed else ()))


def found_in(one: Diagnostic, model: str) -> Found:
    """An upload as its owner sees it."""
    ended = one.status in ("done", "error")
    return Found(one, model, json.loads(one.content) if ended and one.content else {})


def _figures(name: str, said: Mapping[str, Any]) -> Figures:
    """A series in numbers; of one that is no score, those that only a score has are left out."""
    mean = _known(said[key] for key in ("mean", "mean_low", "mean_high", "std"))
    risk = _known(said[key] for key in ("sharpe", "max_drawdown", "hit_rate"))
    return Figures(NAMES.get(name, name.upper()), *mean, *((math.nan,) * 3 if name in NO_SCORES else risk))


def _added_up(eras: Sequence[str], series: Mapping[str, Sequence[float]]) -> Chart:
    emphasis: dict[str, Any] = {"corr": "highlight", "mmc2": "metamodel", "fnc": "highlight"}
    lines: list[Series] = [cumulative(SHOWN[name], values, emphasis[name]) for name, values in series.items()]
    value = Lines("Scores added up", "cumulative score", tuple(eras), tuple(lines))
    return Chart(
        "added-up",
        "Scores added up",
        "Era after era. A straight climb is a steady edge; a flat line is none.",
        lambda name, width: draw_lines(value, name=name, width=width, height=360 if width > 600 else 300),
        (Column("era"), *(Column(line.name, "score") for line in lines)),
        tuple(zip(eras, *(line.values for line in lines), strict=True)),
    )


def _bars(name: str, eras: Sequence[str], values: Sequence[float]) -> Chart:
    value = Bars(f"{SHOWN[name]} era by era", SHOWN[name], tuple(eras), tuple(values))
    return Chart(
        name,
        f"{SHOWN[name]} era by era",
        "The dashed line is the mean.",
        lambda name, width: draw_bars(value, name=name, width=width),
        (Column("era"), Column(SHOWN[name], "score")),
        tuple(zip(eras, values, strict=True)),
    )


def _exposures(said: Mapping[str, Any]) -> Chart:
    values = _known(said["values"])
    sizes = _known(said[name] for name in ("std", "l2", "rms", "max"))
    value = Exposures(tuple(said["names"]), values, *sizes)
    return Chart(
        "exposures",
        "Exposure to the features",
        "Mean correlation of the predictions with each feature, from −1 to +1; the 20 largest, if there are more.",
        lambda name, width: draw_exposures(value, name=name, width=width),
        (Column("feature"), Column("exposure", "score")),
        value.worst(len(values)),
    )


def _known(values: Iterable[float | None]) -> tuple[float, ...]:
    return tuple(math.nan if value is None else value for value in values)

"""A plot is a value first: what the charts show, as frozen dataclasses of plain numbers and strings.

Whoever computes scores fills these in; whoever draws (this package's SVG, a notebook, a web server as JSON)
reads them. Nothing here draws, and nothing here needs an array library.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import accumulate
from typing import Literal

from crowdalpha.scoring.problems import Problem, refuse_if_any

FEW = 10
"""With fewer eras than this an interval is too rough to judge by."""

Emphasis = Literal["rest", "highlight", "metamodel"]
"""How loudly a line speaks: many rest in grey, a few are highlighted, one is the metamodel."""

PARALLEL = 1e-9
"""A residual shorter than this is rounding: the model lies along the metamodel."""


def unequal(where: str, found: int, expected: int) -> list[Problem]:
    """The problem of a value whose parts differ in length, or nothing."""
    if found == expected:
        return []
    return [Problem("unequal_lengths", f"{expected} values", str(found), "pass one value for each name", where)]


@dataclass(frozen=True, slots=True)
class Interval:
    """A range that a figure plausibly lies in, in the figure's own unit."""

    low: float
    high: float

    def leaves_out(self, value: float) -> bool:
        """Whether `value` lies outside the interval.

        >>> Interval(-0.01, 0.02).leaves_out(0.0)
        False
        """
        return not self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """One model of the leaderboard; `corr` and `mmc2` are means over the eras it took part in."""

    model: str
    stake: float
    share: float
    corr: float
    mmc2: float
    interval: Interval | None = None
    sharpe: float = math.nan
    eras: int = 0
    description: str = ""

    @property
    def rough(self) -> bool:
        """Whether the interval stands on too few eras to judge the model by; not if their number is unknown (0)."""
        return 0 < self.eras < FEW

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out zero and can be relied on."""
        return self.interval is not None and not self.rough and self.interval.leaves_out(0.0)


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Models in order of merit; `level` and `method` say what the intervals around MMC2 are."""

    rows: tuple[LeaderboardRow, ...]
    level: float = 0.95
    method: str = "block bootstrap over eras"
    stake_unit: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A line through the eras; NaN where there is no value (the line is broken there)."""

    name: str
    values: tuple[float, ...]
    emphasis: Emphasis = "rest"


@dataclass(frozen=True, slots=True)
class Lines:
    """Several series over the same eras."""

    title: str
    unit: str
    eras: tuple[str, ...]
    series: tuple[Series, ...]

    def __post_init__(self) -> None:
        """Every series has a value for every era, or the lines are refused."""
        expected = len(self.eras)
        refuse_if_any(p for line in self.series for p in unequal(line.name, len(line.values), expected))


@dataclass(frozen=True, slots=True)
class Bars:
    """One score per era."""

    title: str
    unit: str
    eras: tuple[str, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Every era has a value, or the bars are refused."""
        refuse_if_any(unequal(self.title, len(self.values), len(self.eras)))


@dataclass(frozen=True, slots=True)
class Point:
    """A model in a plane; its area stands for its `share` of all stake, in [0, 1]."""

    name: str
    x: float
    y: float
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Scatter:
    """Models in a plane. `corners` names the quadrants: top right, top left, bottom left, bottom right."""

    title: str
    x_title: str
    y_title: str
    points: tuple[Point, ...]
    corners: tuple[str, str, str, str] | None = None
    diagonal: bool = False


@dataclass(frozen=True, slots=True)
class Vectors:
    """A model, the metamodel and the target seen in the plane the first two span.

    Ranked and standardised, predictions are unit vectors and a correlation is the cosine of an angle. With the
    metamodel along the first axis the model ends at (rho, sqrt(1 - rho^2)), its residual is (0, sqrt(1 - rho^2))
    and the target's shadow in the plane is (CORR_M, (CORR_U - rho CORR_M) / sqrt(1 - rho^2)).

    `rho` is the correlation of model and metamodel, `corr_model` and `corr_metamodel` are theirs with the
    target, all in [-1, 1]; `mmc2` is the model's score, shown as given. [F93#1]

    >>> right = Vectors("m", rho=0.0, corr_model=0.03, corr_metamodel=0.04, mmc2=0.036)
    >>> right.angle, right.residual, right.target
    (90.0, 1.0, (0.04, 0.03))
    """

    model: str
    rho: float
    corr_model: float
    corr_metamodel: float
    mmc2: float
    role: str = ""

    @property
    def known(self) -> bool:
        """Whether there is anything to draw: no number is missing."""
        return all(map(math.isfinite, (self.rho, self.corr_model, self.corr_metamodel, self.mmc2)))

    @property
    def angle(self) -> float:
        """The angle between model and metamodel, in degrees: arccos rho."""
        return math.degrees(math.acos(max(-1.0, min(1.0, self.rho))))

    @property
    def residual(self) -> float:
        """The length of what is left of the model without the metamodel: sqrt(1 - rho^2)."""
        return math.sqrt(max(0.0, 1.0 - self.rho**2))

    @property
    def covariance(self) -> float:
        """CORR_U - rho CORR_M: the residual's scalar product with the target; MMC2 is this up to a constant."""
        return self.corr_model - self.rho * self.corr_metamodel

    @property
    def target(self) -> tuple[float, float]:
        """The target's shadow in the plane, along the metamodel and along the residual."""
        across = self.covariance / self.residual if self.residual > PARALLEL else 0.0
        return self.corr_metamodel, max(-1.0, min(1.0, across))


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Pairwise correlations: `values[i][j]` is that of `names[i]` with `names[j]`, in [-1, 1] or NaN."""

    title: str
    names: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        """The matrix is square and has a name for every row, or it is refused."""
        expected = len(self.names)
        problems = unequal("rows", len(self.values), expected)
        for name, row in zip(self.names, self.values, strict=False):
            problems += unequal(name, len(row), expected)
        refuse_if_any(problems)


@dataclass(frozen=True, slots=True)
class Persistence:
    """Mean contribution in the first half of the eras (x) against the second (y), a point per model."""

    points: tuple[Point, ...]
    spearman: float


@dataclass(frozen=True, slots=True)
class Exposures:
    """Correlations of one model's predictions with the features, and the four ways to sum them up."""

    names: tuple[str, ...]
    values: tuple[float, ...]
    std: float
    l2: float
    rms: float
    max: float

    def __post_init__(self) -> None:
        """Every feature has an exposure, or they are refused."""
        refuse_if_any(unequal("exposures", len(self.values), len(self.names)))

    def worst(self, count: int) -> tuple[tuple[str, float], ...]:
        """The `count` features with the largest absolute exposure, largest first; NaN exposures left out."""
        known = [pair for pair in zip(self.names, self.values, strict=True) if not math.isnan(pair[1])]
        return tuple(sorted(known, key=lambda pair: (-abs(pair[1]), pair[0]))[:count])


@dataclass(frozen=True, slots=True)
class Neutralized:
    """What neutralising the predictions by `proportion` of their feature exposure would have given."""

    proportion: float
    cumulative: tuple[float, ...]
    mean: float
    interval: Interval | None = None
    sharpe: float = math.nan
    max_drawdown: float = math.nan
    max_exposure: float = math.nan


@dataclass(frozen=True, slots=True)
class Statistic:
    """A figure with its name, its interval where it has one, and what it means in a sentence.

    `plus` says whether a positive value is printed with its sign: yes for scores, no for rates and sizes.
    """

    name: str
    value: float
    meaning: str
    interval: Interval | None = None
    digits: int = 4
    plus: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """What was scored and how: enough to do it again, and whom to credit.

    `ids` and `made` are words ("208 a round", "2024-05-31").
    """

    eras: int
    models: int
    ids: str
    bags: int
    seed: str
    version: str
    made: str = ""
    source: str = ""
    credits: str = ""


@dataclass(frozen=True, slots=True)
class CrowdReport:
    """Everything on the page of a scored crowd. `over_time` holds cumulative CORR."""

    title: str
    run: Run
    leaderboard: Leaderboard
    over_time: Lines
    vectors: tuple[Vectors, ...] = ()
    similarity: Heatmap | None = None
    persistence: Persistence | None = None
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything on the page of one participant's model. `drawdown` is at most 0; `neutralized` starts at 0%."""

    model: str
    run: Run
    statistics: tuple[Statistic, ...]
    per_era: tuple[Bars, ...]
    drawdown: Lines | None = None
    exposures: Exposures | None = None
    vectors: Vectors | None = None
    neutralized: tuple[Neutralized, ...] = ()
    score_unit: str = "CORR"
    level: float = 0.95
    caveats: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Cumulative scores after neutralisation cover the same eras as the bars, or they are refused."""
        expected = len(self.per_era[0].eras) if self.per_era else 0
        lengths = ((f"neutralized by {n.proportion:g}", len(n.cumulative)) for n in self.neutralized)
        refuse_if_any(p for where, found in lengths for p in unequal(where, found, expected))


def cumulative(name: str, scores: Iterable[float], emphasis: Emphasis = "rest") -> Series:
    """The running sum of an era's scores; a missing era (NaN) is a gap in the line and adds nothing.

    >>> cumulative("m", [0.25, float("nan"), 0.5]).values
    (0.25, nan, 0.75)
    """
    scores = tuple(float(score) for score in scores)
    sums = accumulate(0.0 if math.isnan(score) else score for score in scores)
    values = (math.nan if math.isnan(score) else total for score, total in zip(scores, sums, strict=True))
    return Series(name, tuple(values), emphasis)


def contribution(rows: Sequence[LeaderboardRow]) -> Scatter:
    """Mean MMC2 against mean CORR, a point per model, as a value to draw."""
    corners = (
        "right, and news to the crowd",
        "wrong alone, yet corrects the crowd",
        "wrong, and no help",
        "right, but its difference hurts",
    )
    points = tuple(Point(row.model, row.corr, row.mmc2, row.share) for row in rows)
    return Scatter("Contribution against correlation", "mean CORR", "mean MMC2", points, corners)


def as_json(value: object) -> object:
    """A plot value as dictionaries, lists, strings and numbers; NaN and infinities become None.

    >>> as_json(Point("m", 0.1, float("nan")))
    {'name': 'm', 'x': 0.1, 'y': None, 'share': 0.0}
    """
    if is_dataclass(value):
        return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [as_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

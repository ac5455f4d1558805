"""What the page of a season shows: who earned, who burned, how the weights moved and what became of the crowd."""

from __future__ import annotations

import math
from dataclasses import dataclass

from crowdalpha.diagnostics.data import Bars, Lines, Run, unequal
from crowdalpha.scoring.problems import refuse_if_any


@dataclass(frozen=True, slots=True)
class SeasonRow:
    """What a season did to one model. Stakes are in coins; a share is one of all that is staked, in [0, 1].

    `mean` is the mean payout of the `rounds` in which it had something at risk, as a fraction of that; NaN if none.
    """

    model: str
    opening: float
    closing: float
    opening_share: float
    closing_share: float
    rounds: int
    mean: float = math.nan
    description: str = ""

    @property
    def change(self) -> float:
        """What it earned, below 0 what it burned, in coins."""
        return self.closing - self.opening

    @property
    def growth(self) -> float:
        """How many times the opening stake the closing one is; NaN for a model that staked nothing."""
        return self.closing / self.opening if self.opening else math.nan


@dataclass(frozen=True, slots=True)
class Layer:
    """A part of a whole over the rounds, each in [0, 1]; one that is not `named` sums up many."""

    name: str
    values: tuple[float, ...]
    named: bool = True


@dataclass(frozen=True, slots=True)
class Layers:
    """Parts that add up to a whole in every era, lowest first; all 0 in an era where there is no whole."""

    title: str
    unit: str
    eras: tuple[str, ...]
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        """Every layer has a value for every era, or the layers are refused."""
        expected = len(self.eras)
        refuse_if_any(p for layer in self.layers for p in unequal(layer.name, len(layer.values), expected))


@dataclass(frozen=True, slots=True)
class Flows:
    """What came in and what went out in every era, both 0 or more."""

    title: str
    unit: str
    eras: tuple[str, ...]
    paid: tuple[float, ...]
    burned: tuple[float, ...]

    def __post_init__(self) -> None:
        """Every era has both, or they are refused."""
        expected = len(self.eras)
        pairs = (("paid", self.paid), ("burned", self.burned))
        refuse_if_any(p for name, values in pairs for p in unequal(name, len(values), expected))


@dataclass(frozen=True, slots=True)
class Ruling:
    """The rule that was played: what it pays, in symbols and words, from when on it was in force, and who says so."""

    name: str
    formula: str
    meaning: str
    since: str
    sources: tuple[str, ...]
    choice: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Submissions that were not taken for the same reason: how often, of which models, and why in words."""

    reason: str
    count: int
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeasonReport:
    """Everything on the page of a season: rows by what they earned, most first.

    `says` is what is to be seen, in sentences. `weights` are the shares of what was at risk, `crowd` the metamodel's
    own CORR, `crowds` the same added up beside crowds whose stakes never moved, `gains` how far it is ahead of them.
    """

    title: str
    run: Run
    rows: tuple[SeasonRow, ...]
    says: tuple[str, ...]
    verdict: str
    weights: Layers
    crowd: Bars
    crowds: Lines
    gains: Lines
    at_risk: Bars
    flows: Flows
    ruling: Ruling
    refused: tuple[Refusal, ...] = ()
    stake_unit: str = "coins"
    caveats: tuple[str, ...] = ()

"""Designs: a payout policy as a few numbers that can be written in a file, searched over and pickled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdalpha.payouts.formula import FormulaPolicy
from crowdalpha.payouts.numbers import is_real
from crowdalpha.payouts.parameters import Choice
from crowdalpha.payouts.policy import Array
from crowdalpha.payouts.proposals import hard_era_coefficient
from crowdalpha.payouts.refusal import refuse_if_any
from crowdalpha.payouts.scores import Scores

LARGEST_MULTIPLIER = 1_000.0
"""Multipliers beyond are taken for a slip of the pen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A payout policy as numbers.

        S clip(F max(floor, cm corr + mm c mmc), -clip, clip)

    `choices` are the pairs (cm, mm) open to a model, the first being the default; `clip` the most that a round pays or
    burns, a fraction of the stake in (0, 1]; c is `hard_era` where the metamodel's own CORR is below 0, else 1; `floor`
    the least that the score counts, None: it has none. Refused with codes `design_choices`, `design_clip`,
    `design_hard_era` and `design_floor`, all at once.

    >>> Design(choices=((0.5, 2.0),), clip=0.05).policy().payouts([100, 100], [0.02, -0.1], [0.01, -0.1])
    array([ 3., -5.])
    """

    choices: tuple[Choice, ...]
    clip: float = 1.0
    hard_era: float = 1.0
    floor: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no number or out of range."""
        refuse_if_any(_problems(self))

    def policy(self) -> FormulaPolicy:
        """The policy that an engine or the lab can play."""
        return FormulaPolicy(Counted(self.hard_era, self.floor), self.clip, choices=self.choices)

    def __str__(self) -> str:
        return (
            " or ".join(f"{corr:g} x CORR + {mmc:g} x MMC" for corr, mmc in self.choices)
            + f", clip {self.clip:g}"
            + (f", MMC x {self.hard_era:g} in hard eras" if self.hard_era != 1 else "")
            + (f", never below {self.floor:g}" if self.floor is not None else "")
        )

    def toml(self, name: str) -> str:
        """The design as a table of a file of policies, which says it exactly.

        >>> print(Design(choices=((0.5, 2.0),), clip=0.05).toml("mine"))
        [mine]
        choices = [[0.5, 2.0]]
        clip = 0.05
        """
        said = {"choices": [list(pair) for pair in self.choices], "clip": self.clip}
        said |= {"hard_era": self.hard_era} if self.hard_era != 1 else {}
        said |= {"floor": self.floor} if self.floor is not None else {}
        return "\n".join([f"[{name}]", *(f"{key} = {value!r}" for key, value in said.items())])


@dataclass(frozen=True, slots=True)
class Counted:
    """The formula of a design: the weighted score, MMC counting `hard_era` times in hard eras, never below `floor`."""

    hard_era: float
    floor: float | None

    def __call__(self, scores: Scores) -> Array:
        """The fraction of the stake of each model."""
        weighted = scores.weighted
        if self.hard_era != 1:
            weighted = scores.weighted_with(hard_era_coefficient(scores.mmc, scores.metamodel_corr, self.hard_era))
        return weighted if self.floor is None else np.maximum(weighted, self.floor)


def _problems(design: Design) -> list[tuple[str, str]]:
    checks = {
        "design_choices": (
            bool(design.choices) and all(len(pair) == 2 and all(map(_multiplier, pair)) for pair in design.choices),
            f"expected pairs of multipliers (CORR, MMC) up to {LARGEST_MULTIPLIER:g}, found {design.choices!r:.80}",
        ),
        "design_clip": (
            is_real(design.clip) and 0 < design.clip <= 1,
            f"clip is {design.clip!r:.80}, expected a fraction of the stake above 0 and up to 1",
        ),
        "design_hard_era": (
            _multiplier(design.hard_era) and design.hard_era >= 0,
            f"hard_era is {design.hard_era!r:.80}, expected a coefficient of 0 or more",
        ),
        "design_floor": (
            design.floor is None or (is_real(design.floor) and -1 <= design.floor <= 1),
            f"floor is {design.floor!r:.80}, expected a fraction of the stake from -1 to 1",
        ),
    }
    return [(code, sentence) for code, (holds, sentence) in checks.items() if not holds]


def _multiplier(value: object) -> bool:
    return is_real(value) and isinstance(value, int | float) and abs(value) <= LARGEST_MULTIPLIER

"""The fairness gate: a payout must not reward a participant for running a model and its inverse together.

Scores of p and of 1 - p are opposite. Whoever stakes the same on both is paid f(x) + f(-x), whichever way the era
goes. If that is above 0 anywhere, money is there for the taking; if it is never above 0, hedging earns nothing.
A pair that mixes two open choices, f on one side and g on the other, averages f(x) + f(-x) and g(x) + g(-x) over
x and -x: it is a bet, and risk-free only if one of the choices already fails by itself.

What the gate does not see is a policy whose fairness depends on how often something happens, such as the hard-era
coefficient: `incentives.contrarian_profit` answers that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from crowdalpha.payouts.formula import policy_of
from crowdalpha.payouts.parameters import Choice
from crowdalpha.payouts.policy import Array, Policy
from crowdalpha.payouts.refusal import PayoutError

ROUNDING = 1e-12
"""A profit up to this fraction of the stake is taken for floating point, not for money."""

LIKELY = 0.1
"""A pair is named with scores up to this size if there is one: larger scores hardly occur."""

FACTORS = (1.0, 0.5, 0.1)
METAMODEL_CORRS = (0.03, -0.03)


@dataclass(frozen=True, slots=True)
class Exploit:
    """A model that scores (corr, mmc), its inverse that scores (-corr, -mmc), and what the pair earns.

    `payout` and `inverse_payout` are fractions of the stake, the same on both. For a policy with a window the scores
    are those of the era being paid and `history` says how the earlier ones went, as multiples of them.
    """

    corr: float
    mmc: float
    payout: float
    inverse_payout: float
    choice: Choice
    payout_factor: float
    metamodel_corr: float
    history: tuple[float, ...]

    @property
    def profit(self) -> float:
        """What the pair earns together, as a fraction of one model's stake."""
        return self.payout + self.inverse_payout

    def __str__(self) -> str:
        past = "" if len(self.history) == 1 else f", after {_shown(self.history[:-1])} times these scores"
        return (
            f"a model p with CORR {self.corr:+.3f} and MMC {self.mmc:+.3f} is paid {self.payout:+.2%} of its stake, "
            f"its inverse 1-p with CORR {0 - self.corr:+.3f} and MMC {0 - self.mmc:+.3f} {self.inverse_payout:+.2%}: "
            f"with the same stake on both the pair earns {self.profit:+.2%} whichever way the era goes "
            f"({self.choice[0]:g} x CORR + {self.choice[1]:g} x MMC, payout factor {self.payout_factor:g}{past})"
        )


def exploit_of(policy: Policy | Callable[[Array, Array], npt.ArrayLike]) -> Exploit | None:
    """The p / 1-p pair that earns from a policy without risk, or None if there is none on the grid.

        f(x) + f(-x) <= 0        x = (corr, mmc)

    `policy` is a Policy or a plain function f(corr, mmc) of arrays, a fraction of the stake. Looked at are CORR and MMC
    from -1 to 1 (every 0.005 up to 0.3), every choice open to a model, payout factors 1, 0.5 and 0.1, easy and hard
    eras, and for a policy with a window several kinds of history. The pair named is the one that earns most.

    >>> exploit_of(lambda corr, mmc: corr + 2 * mmc) is None
    True
    >>> pair = exploit_of(lambda corr, mmc: np.maximum(corr, 0))
    >>> round(pair.corr, 3), round(pair.profit, 3)
    (0.1, 0.1)
    """
    judged = policy_of(policy) if callable(policy) else policy
    found = [pair for case in _cases(judged) if (pair := _worst_pair(judged, *case)) is not None]
    return max(found, key=lambda pair: (_likely(pair), pair.profit), default=None)


def require_fair(policy: Policy | Callable[[Array, Array], npt.ArrayLike]) -> None:
    """Refuse a policy that a p / 1-p pair can milk, naming the pair.

    >>> require_fair(lambda corr, mmc: np.maximum(mmc, 0))
    Traceback (most recent call last):
    ...
    crowdalpha.payouts.refusal.PayoutError: this payout can be milked: a model p with CORR ...
    """
    exploit = exploit_of(policy)
    if exploit is not None:
        fix = "make sure that f(corr, mmc) + f(-corr, -mmc) is never above 0"
        raise PayoutError(("unfair_policy", f"this payout can be milked: {exploit}; {fix}"))


def score_grid(every: int = 1) -> tuple[Array, Array]:
    """Pairs (corr, mmc), one of each x and -x: flat arrays, corr from 0 to 1, mmc from -1 to 1.

    `every` takes only each so-manieth size of score: a policy with a window is judged on many histories instead.

    >>> [len(side) for side in score_grid()]
    [8385, 8385]
    """
    sizes = np.concatenate([[0.0, 0.001, 0.002], np.arange(1, 61) / 200, [0.5, 1.0]])[::every]
    corr, mmc = np.meshgrid(sizes, np.concatenate([-sizes[:0:-1], sizes]), indexing="ij")
    return corr.ravel(), mmc.ravel()


def histories(window: int) -> Array:
    """Kinds of history, (n_kinds, window), as multiples of the scores of the last era, which is 1.

    Always the same; one bad era; one very bad era; alternating; rising from negative to positive; mostly bad.

    >>> histories(1)
    array([[1.]])
    """
    same = np.ones(window)
    if window == 1:
        return same[np.newaxis]
    once = np.where(np.arange(window) == 0, -1.0, 1.0)
    crash = np.where(np.arange(window) == 0, -5.0, 1.0)
    alternating = np.where(np.arange(window)[::-1] % 2, -0.5, 1.0)
    rising = np.linspace(-0.5, 1.0, window)
    mostly_bad = np.where(np.arange(window) == window - 1, 1.0, -0.25)
    return np.stack([same, once, crash, alternating, rising, mostly_bad])


def _cases(policy: Policy) -> Iterator[tuple[Choice, float, float, Array]]:
    choices = policy.choices or ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
    return product(choices, FACTORS, METAMODEL_CORRS, histories(policy.window))


def _worst_pair(policy: Policy, choice: Choice, factor: float, metamodel_corr: float, history: Array) -> Exploit | None:
    """The pair that earns most in one case: the whole grid is one round, so that ranks among models exist."""
    corr, mmc = score_grid(1 if policy.window == 1 else 8)
    both = [np.concatenate([scores, -scores]) for scores in (corr, mmc)]
    scores = both if policy.window == 1 else [history[:, np.newaxis] * side for side in both]
    paid = policy.payouts(
        np.ones(2 * len(corr)), *scores,
        corr_multiplier=choice[0], mmc_multiplier=choice[1], payout_factor=factor, metamodel_corr=metamodel_corr,
    )  # fmt: skip
    payout, inverse = paid[: len(corr)], paid[len(corr) :]
    likely = (np.abs(corr) <= LIKELY) & (np.abs(mmc) <= LIKELY)
    earning = payout + inverse > ROUNDING
    if not earning.any():
        return None
    worst = int(np.argmax(np.where(earning & (likely | ~(earning & likely).any()), payout + inverse, -np.inf)))
    at_x = float(corr[worst]), float(mmc[worst])
    paid_there = float(payout[worst]), float(inverse[worst])
    return Exploit(*at_x, *paid_there, choice, factor, metamodel_corr, tuple(history.tolist()))


def _likely(pair: Exploit) -> bool:
    return max(abs(pair.corr), abs(pair.mmc)) <= LIKELY


def _shown(history: tuple[float, ...]) -> str:
    return ", ".join(f"{multiple:g}" for multiple in history[:3]) + (", ..." if len(history) > 3 else "")

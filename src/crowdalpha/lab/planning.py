"""Planning a stake: what share of one's coins to stake under a policy, from a model's own history of scores.

    coins_N = coins_(N-1) + payout_(N-4)        stake_N = k coins_N        payout_N = stake_N r_N

k is the share that is staked, r_N what a round pays of what is at risk: a policy's answer to the scores of the round. A
payout arrives four rounds later, so four rounds are at risk on the same coins. With k = 1 a stake compounds as it does
in a tournament. What may come is what came before, drawn anew in blocks of rounds that belong together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crowdalpha.lab.chance import Floats, stream
from crowdalpha.lab.thriving import LAG
from crowdalpha.scoring.bootstrap import default_block, percentile_interval
from crowdalpha.scoring.problems import Problem, refuse_if_any

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of one's coins that a plan compares, beside the best one."""
HALVINGS = 60
"""Steps of the bisection: enough for all the bits of a share."""
NOTHING = 1e-12
"""Coins, of each at first, that count as none."""
TRIED = 40
"""Shares that are tried to find the one that grows fastest with the lag."""
FEWEST = 8
"""Rounds below which a history says nothing about what may come."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What may become of one's coins if a share of them is staked over the horizon, each coin counted as 1 at first.

    `growth` is the expected logarithm of growth a round if payouts came at once, `low` and `high` its 95% interval,
    which is as wide as the history is short; `late` is the same with the lag, over the horizon. `median`, `poor` and
    `good` are what a coin becomes in the middle, the worst and the best twentieth of cases. `drawdown` is the median of
    the largest fall from a peak, `deep` what it exceeds in one case of twenty. `halved` and `behind` are the
    probabilities of holding half at some time, and less than at first in the end.
    """

    share: float
    growth: float
    low: float
    high: float
    late: float
    median: float
    poor: float
    good: float
    drawdown: float
    deep: float
    halved: float
    behind: float

    @property
    def rates(self) -> tuple[float, float, float, float]:
        """Growth a round as a fraction, with the ends of its interval; and with the lag."""
        return math.expm1(self.growth), math.expm1(self.low), math.expm1(self.high), math.expm1(self.late)


@dataclass(frozen=True, slots=True)
class Plan:
    """The Kelly share with its 95% interval, what a round pays on average, and the outlook for several shares.

    `late` is the share that grows fastest over the horizon with the lag: less than the Kelly share where payouts are
    wild, for four rounds are at risk on the same coins. `mean` and `volatility` are of what a round pays, of the stake;
    `rounds` is how many there were.
    """

    kelly: float
    kelly_low: float
    kelly_high: float
    late: float
    mean: float
    volatility: float
    rounds: int
    horizon: int
    outlooks: tuple[Outlook, ...]

    @property
    def says(self) -> str:
        """What the history says, in plain words."""
        if not self.kelly:
            return "On average this model was not paid: every stake shrinks, and the best share to stake is none."
        said = (
            f"Staking {self.kelly:.0%} of the coins grew fastest (95% interval {self.kelly_low:.0%} to "
            f"{self.kelly_high:.0%}); with payouts that come {LAG} rounds late, {self.late:.0%} is best."
        )
        doubt = " A model that earns nothing may have such a history, too."
        more = " More stake is more risk for less growth." if self.kelly < 1 else ""
        return said + (doubt if self.kelly_low == 0 else more)


def plan(
    returns: Floats, *, shares: Sequence[float] = SHARES, horizon: int = 52, paths: int = 2_000, seed: object = "0"
) -> Plan:
    """What a history of payouts, (n_rounds,) as fractions of what was at risk, says about staking on.

    Refused with codes `short_history` and `bad_share`, both at once.
    """
    refuse_if_any(list(_problems(returns, shares)))
    n = len(returns)
    again = blocks(returns, n, paths, seed, "history")
    kellies = kelly(again)
    best, ahead = float(kelly(returns)), blocks(returns, horizon, paths, seed, "ahead")
    wanted = sorted({*shares, *([best] if best else [])})
    outlooks = tuple(_outlook(share, returns, again, ahead) for share in wanted)
    low, high = percentile_interval(kellies, 0.95)
    tried = [k / TRIED for k in range(TRIED + 1)]
    late = max(tried, key=lambda share: late_growth(ahead, share))
    return Plan(best, low, high, late, float(returns.mean()), float(returns.std()), n, horizon, outlooks)


def kelly(returns: Floats, *, most: float = 1.0) -> Floats:
    """The share of one's coins that grows fastest, of returns (..., n_rounds), each as likely: (...), from 0 to `most`.

        k* = argmax mean(log(1 + k r))        0 <= k <= most        1 + k r > 0

    Where a round wins b with probability p and loses a otherwise, k* = p / a - (1 - p) / b; where returns are small, it
    is about their mean over their variance.

    >>> float(kelly(np.array([1.0, 1.0, 1.0, -1.0, -1.0])).round(9))
    0.2
    """
    worst = np.maximum(-returns.min(axis=-1), NOTHING)
    low, high = np.zeros(returns.shape[:-1]), np.minimum(most, (1 - NOTHING) / worst)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        rising = np.mean(returns / (1 + middle[..., None] * returns), axis=-1) > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    return np.asarray(np.where(returns.mean(axis=-1) > 0, high, 0.0))


def growth(returns: Floats, share: float) -> Floats:
    """The expected logarithm of growth a round, (...), if a share of one's coins is staked: mean(log(1 + k r))."""
    return np.asarray(np.mean(np.log(np.maximum(1 + share * returns, NOTHING)), axis=-1))


def late_growth(ahead: Floats, share: float) -> float:
    """The expected logarithm of growth a round of futures, (n_paths, n_rounds), if payouts come with the lag."""
    *_, end = coins(ahead, share)
    return float(np.mean(np.log(np.maximum(end, NOTHING)))) / ahead.shape[1]


def blocks(returns: Floats, length: int, paths: int, seed: object, *words: object) -> Floats:
    """Rounds drawn anew, (n_paths, length), in runs of consecutive ones on a circle."""
    n, block = len(returns), default_block(len(returns))
    starts = stream(seed, "plan", *words).integers(n, size=(paths, -(-length // block)))
    places = (starts[:, :, None] + np.arange(block)) % n
    return np.asarray(returns[places.reshape(paths, -1)[:, :length]])


def coins(returns: Floats, share: float) -> Iterator[Floats]:
    """What each coin has become before each round and, when all rounds are paid, after the last, (n_paths,) each.

    `returns` are (n_paths, n_rounds). Nobody loses more than there is.

    >>> [float(each[0]) for each in coins(np.array([[0.5, 0.0, 0.0, 0.0, 0.1]]), 1.0)][3:7]
    [1.0, 1.5, 1.5, 1.5]
    """
    held: Floats = np.ones(len(returns))
    staked: list[Floats] = []
    for number in range(returns.shape[1] + LAG):
        if number >= LAG:
            held = np.maximum(held + staked[number - LAG] * returns[:, number - LAG], 0.0)
        if number < returns.shape[1]:
            staked.append(share * held)
        yield held


def _outlook(share: float, returns: Floats, again: Floats, ahead: Floats) -> Outlook:
    peak, least, fall, end = np.ones(len(ahead)), np.ones(len(ahead)), np.zeros(len(ahead)), np.ones(len(ahead))
    for end in coins(ahead, share):
        peak, least = np.maximum(peak, end), np.minimum(least, end)
        fall = np.maximum(fall, 1 - end / peak)
    low, high = percentile_interval(growth(again, share), 0.95)
    poor, median, good = np.quantile(end, [0.05, 0.5, 0.95]).tolist()
    return Outlook(
        share, float(growth(returns, share)), low, high, late_growth(ahead, share), median, poor, good,
        float(np.median(fall)), float(np.quantile(fall, 0.95)), float(np.mean(least <= 0.5)), float(np.mean(end < 1)),
    )  # fmt: skip


def _problems(returns: Floats, shares: Sequence[float]) -> Iterator[Problem]:
    if len(returns) < FEWEST:
        fix = "wait for more rounds: so few say nothing about what may come"
        yield Problem("short_history", f"{FEWEST} rounds with a score or more", str(len(returns)), fix, "scores")
    strange = [share for share in shares if not 0 < share <= 1]
    if strange:
        fix = "nobody stakes more than there is"
        yield Problem("bad_share", "shares above 0 and up to 1", ", ".join(map(str, strange)), fix, "share")

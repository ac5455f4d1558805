"""Settlement: from what was at risk and what the policy pays of it to one entry that moves the money.

    p = round_half_even(fraction x amount at risk)

A payout goes from the treasury to the stake. A burn goes from the stake, then from what is in release, to burned; it
takes no more than those two still hold. The fraction is the only float that touches money: it is taken for exactly
the binary number that it is, and multiplied as such.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from crowdalpha import payouts as policies
from crowdalpha.payouts.policy import Policy
from crowdalpha.scoring.problems import Problem, refuse_if_any
from crowdalpha.tournament import ledger
from crowdalpha.tournament.ledger import Entry, Posting
from crowdalpha.tournament.money import UNITS, amount_problems, format_amount
from crowdalpha.tournament.payments import Payments, payments
from crowdalpha.tournament.stakes import AtRisk, Balances


@dataclass(frozen=True, slots=True)
class Payout:
    """What a round pays a model, above 0, or burns of it, below 0.

    `owed` is the fraction of what was at risk, `paid` what really moves: less if the treasury cannot pay everybody,
    or if the stake is no longer there to burn. A model with nothing at risk has fraction 0.
    """

    round: int
    model: str
    at_risk: int
    fraction: float
    owed: int
    paid: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """A payout for every model at risk, sorted by model, and the entry `settle:ROUND` (None if no money moves)."""

    entry: Entry | None
    payouts: tuple[Payout, ...]


def round_factor(at_risk: Iterable[AtRisk], threshold: float | None) -> float:
    """The payout factor of a round: min(1, threshold in coins / coins at risk), and 1 without a threshold."""
    return float(policies.payout_factor(sum(risk.amount for risk in at_risk) / UNITS, threshold))


def fractions(
    policy: Policy,
    at_risk: Sequence[AtRisk],
    corr: npt.ArrayLike,
    mmc: npt.ArrayLike,
    *,
    payout_factor: float = 1.0,
    metamodel_corr: npt.ArrayLike = np.nan,
) -> dict[str, float]:
    """What a policy pays of every stake: clipped, the payout factor included, 0 where nothing is at risk.

    `corr` and `mmc` are (n_models,), or (window, n_models), in the order of `at_risk`. A policy is linear in the
    stake, so it is asked about a stake of 1; the money is multiplied exactly, in `settle`.
    """
    paid = policy.payouts(
        [float(risk.amount > 0) for risk in at_risk],
        corr,
        mmc,
        corr_multiplier=[risk.corr_multiplier for risk in at_risk],
        mmc_multiplier=[risk.mmc_multiplier for risk in at_risk],
        payout_factor=payout_factor,
        metamodel_corr=metamodel_corr,
    )
    return dict(zip((risk.model for risk in at_risk), paid.tolist(), strict=True))


def settle(
    round: int, at_risk: Iterable[AtRisk], fractions: Mapping[str, float], at: datetime, *, balances: Balances
) -> Settlement:
    """Settle a round: what each model is paid or burned, and the one entry that does it.

    The treasury pays the exact total of all payouts, rounded once; by how much their rounded sum differs from it goes
    to the account `rounding`, or comes from it as far as it holds that much, else from the treasury. If the treasury
    cannot pay, it pays what it has: everybody's payout shrinks alike, rounded down, and the rest goes to `rounding`.

    `fractions` has a number from -1 to 1 for every model with something at risk. The order of the models does not
    matter. Refused with codes `wrong_round`, `model_twice`, `negative_at_risk`, `missing_fraction`, `bad_fraction`,
    `nothing_at_risk`, and those of amounts, all at once.
    """
    risks = sorted(at_risk, key=lambda risk: risk.model)
    refuse_if_any(problem.at(f"round {round}") for problem in _problems(round, risks, fractions))
    shares = [fractions[risk.model] if risk.amount else 0.0 for risk in risks]
    found = payments(
        [risk.amount for risk in risks],
        shares,
        [_held(risk.model, balances) for risk in risks],
        treasury=balances.get(ledger.TREASURY, 0),
        rounding=balances.get(ledger.ROUNDING, 0),
    )
    moves = _moves(dict(zip((risk.model for risk in risks), found.paid, strict=True)), found, balances)
    rows = zip(risks, shares, found.owed, found.paid, strict=True)
    return Settlement(
        Entry(f"settle:{round}", "settle", at, moves) if moves else None,
        tuple(Payout(risk.round, risk.model, risk.amount, share, owed, paid) for risk, share, owed, paid in rows),
    )


def _moves(paid: Mapping[str, int], found: Payments, balances: Balances) -> tuple[Posting, ...]:
    """The postings: a burn is taken from the stake, and what that does not hold from the release."""
    moves = Counter({ledger.TREASURY: -found.spent, ledger.ROUNDING: found.left_over, ledger.BURNED: found.burned})
    for model, amount in paid.items():
        of_stake = max(amount, -balances.get(ledger.stake(model), 0))
        moves[ledger.stake(model)] += of_stake
        moves[ledger.release(model)] += amount - of_stake
    return tuple(Posting(account, amount) for account, amount in moves.items() if amount)


def _held(model: str, balances: Balances) -> int:
    return balances.get(ledger.stake(model), 0) + balances.get(ledger.release(model), 0)


def _problems(round: int, risks: Sequence[AtRisk], fractions: Mapping[str, float]) -> Iterator[Problem]:
    for model, count in Counter(risk.model for risk in risks).items():
        if count > 1:
            yield Problem("model_twice", "one record a model", str(count), "freeze a round once", model)
    for risk in risks:
        yield from _risk_problems(round, risk, fractions)
    for model in sorted(fractions.keys() - {risk.model for risk in risks}):
        fix = "freeze the round for every model that is scored"
        yield Problem("nothing_at_risk", "a record of what is at risk", "none", fix, model)


def _risk_problems(round: int, risk: AtRisk, fractions: Mapping[str, float]) -> Iterator[Problem]:
    fraction = fractions.get(risk.model)
    if risk.round != round:
        fix = "settle a round with its own records"
        yield Problem("wrong_round", f"stakes at risk in round {round}", f"round {risk.round}", fix, risk.model)
    wrong = list(amount_problems(risk.amount, risk.model))
    if not wrong and risk.amount < 0:
        wrong = [
            Problem("negative_at_risk", "0 or more at risk", format_amount(risk.amount), "freeze it anew", risk.model)
        ]
    yield from wrong
    if wrong or not risk.amount:
        return
    if fraction is None:
        fix = "score it; without a valid submission nothing is at risk"
        yield Problem("missing_fraction", "what the policy pays of every stake at risk", "nothing", fix, risk.model)
    elif not (isinstance(fraction, float) and -1 <= fraction <= 1):
        yield Problem("bad_fraction", "a float from -1 to 1", repr(fraction), "clip it, as a policy does", risk.model)

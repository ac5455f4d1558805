"""A second bookkeeper: the rules of money in plain words, on whole units and Fractions, and nothing of the engine.

Time is a number of hours. A round is what happens in it, by hour; a stake is what the asks for it say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

LARGEST, ALL_MONEY = 2**63 - 1, 2**62 - 1
COIN = 10**9
OFFERED = {
    "corr-or-twice-mmc": ((1.0, 0.0), (0.0, 2.0)),
    "payout-factor": ((1.0, 0.0), (1.0, 0.5), (1.0, 1.0), (1.0, 2.0)),
    "steep": (),
}
"""What a model can choose of, by rule: the default first, or anything."""
THRESHOLD = 300_000
Scores = Callable[[int, str], tuple[float, float]]
"""The final CORR and MMC of a model in a round."""


def steep(corr: float, mmc: float) -> float:
    """A payout that burns most of a stake, so that two rounds find less than they may burn."""
    return 0.9 * corr + 0.3 * mmc


def clipped(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)


@dataclass
class Bout:
    """One round's happenings in order; `done` of them are over."""

    number: int
    opens: int
    closes: int
    scored: tuple[int, ...]
    resolves: int
    rule: str
    targets: set[int] = field(default_factory=set)
    on_time: set[str] = field(default_factory=set)
    late: list[tuple[int, str, str]] = field(default_factory=list)
    at_risk: dict[str, int] = field(default_factory=dict)
    chosen: dict[str, tuple[float, float]] = field(default_factory=dict)
    burned_since: Counter[str] = field(default_factory=Counter)
    done: int = 0

    @property
    def agenda(self) -> list[tuple[int, str]]:
        n = self.number
        days = [(hour, f"score:{n}:{day}") for day, hour in enumerate(self.scored, 1)]
        return [(self.opens, f"open:{n}"), (self.closes, f"close:{n}"), *days, (self.resolves, f"resolve:{n}")]

    @property
    def opened(self) -> bool:
        return self.done > 0

    @property
    def closed(self) -> bool:
        return self.done > 1

    @property
    def resolved(self) -> bool:
        return self.done == len(self.agenda)

    @property
    def waits(self) -> bool:
        """Whether what is next needs a target that is not there."""
        return self.closed and self.done - 1 not in self.targets


@dataclass
class Ask:
    """A wish for more or less stake: asked, moved (to the stake, or out of it), over."""

    id: str
    model: str
    more: bool
    amount: int | None
    at: int
    waits_for: list[Bout]
    state: str = "asked"


class Books:
    """Everything a tournament owes to whom."""

    def __init__(self) -> None:
        self.purse: Counter[str] = Counter()
        self.owner: dict[str, str] = {}
        self.choice: dict[str, tuple[float, float] | None] = {}
        self.rounds: dict[int, Bout] = {}
        self.asks: dict[str, Ask] = {}
        self.paid: dict[tuple[int, str], tuple[int, float, int, int]] = {}

    # what is asked for: the code of its refusal, or None

    def unknown(self, model: str) -> str | None:
        return None if model in self.owner else "unknown"

    def cannot_pay_in(self, into: str, amount: int) -> str | None:
        return "balance_too_large" if amount - self.purse["external"] > ALL_MONEY else None

    def cannot_pay_out(self, out_of: str, amount: int) -> str | None:
        return "overdrawn" if self.purse[out_of] < amount else None

    def cannot_ask(self, model: str, more: bool, amount: int = 0) -> str | None:
        if more and model in self.owner:
            return self.cannot_pay_out(f"wallet:{self.owner[model]}", amount)
        return self.unknown(model) or (None if self.purse[f"stake:{model}"] else "nothing_staked")

    def cannot_cancel(self, id: str, now: int) -> str | None:
        ask = self.asks[id]
        due = any(ask.at < round.closes <= now for round in self.running)
        return "not_pending" if ask.state not in ("asked", "cancelled") or (due and ask.state == "asked") else None

    def round_for(self, now: int) -> Bout | None:
        """Where a submission goes: the newest round that takes it, else the newest that has begun."""
        begun = [round for round in self.running if round.opens <= now]
        return max(begun, key=lambda round: (now < round.closes, round.number), default=None)

    # what is done

    def move(self, amount: int, source: str, target: str) -> None:
        self.purse[source] -= amount
        self.purse[target] += amount

    def ask(self, id: str, model: str, more: bool, amount: int | None, now: int) -> None:
        """More leaves the wallet at once; less waits for all rounds that have begun, and goes at once if none has."""
        at = max([now, *(round.opens for round in self.running if round.opened)])
        stake, wallet = self.purse[f"stake:{model}"], f"wallet:{self.owner[model]}"
        begun = [round for round in self.running if round.opens <= at]
        self.asks[id] = ask = Ask(id, model, more, None if amount is None or amount > stake else amount, at, begun)
        if more:
            ask.amount = amount
            self.move(amount or 0, wallet, f"reserve:{model}")
        elif not begun:
            ask.state = "over"
            self.move(stake if ask.amount is None else ask.amount, f"stake:{model}", wallet)

    def cancel(self, id: str) -> None:
        ask = self.asks[id]
        if ask.state == "asked" and ask.more:
            self.move(ask.amount or 0, f"reserve:{ask.model}", f"wallet:{self.owner[ask.model]}")
        ask.state = "cancelled"

    def submit(self, id: str, model: str, round: Bout, now: int) -> str:
        if not round.closed and round.opens <= now < round.closes:
            round.on_time.add(model)
            return "on_time"
        round.late.append((now, id, model))
        return "late"

    def tick(self, now: int, scores: Scores) -> list[str]:
        """All that is due, the earliest first, of two at one hour the older round's; rounds that wait are left out."""
        done: list[str] = []
        while due := [(r.agenda[r.done], r) for r in self.running if not r.waits and r.agenda[r.done][0] <= now]:
            (_, key), round = min(due, key=lambda pair: (pair[0][0], pair[1].number))
            self.happen(key.partition(":")[0], round, scores)
            done.append(key)
        return done

    @property
    def running(self) -> list[Bout]:
        return [round for round in self.rounds.values() if not round.resolved]

    def happen(self, what: str, round: Bout, scores: Scores) -> None:
        round.done += 1
        if what == "open":
            self.open(round)
        elif what == "close":
            self.close(round)
        elif what == "resolve":
            self.settle(round, scores)
            self.pay_back()

    def open(self, round: Bout) -> None:
        """Who was late for the round before is in this one."""
        earlier = [other for other in self.rounds.values() if other.opens < round.opens]
        if earlier:
            before = max(earlier, key=lambda other: (other.opens, -other.number))
            round.on_time |= {model for hour, _, model in before.late if hour <= round.opens}

    def close(self, round: Bout) -> None:
        """Wishes from before the close come true; then what everybody has at risk is written down."""
        for ask in self.in_order("asked"):
            if ask.at < round.closes:
                self.come_true(ask)
        for model in self.owner:
            leaving = [ask.amount or 0 for ask in self.leaving(model) if round in ask.waits_for]
            at_risk = self.purse[f"stake:{model}"] + sum(leaving)
            round.at_risk[model] = at_risk if model in round.on_time else 0
            offered, wanted = OFFERED[round.rule], self.choice[model]
            default = offered[0] if offered else (1.0, 0.0)
            round.chosen[model] = wanted if wanted and (wanted in offered or not offered) else default

    def come_true(self, ask: Ask) -> None:
        ask.state = "moved"
        stake = f"stake:{ask.model}"
        if ask.more:
            self.move(ask.amount or 0, f"reserve:{ask.model}", stake)
            return
        ask.amount = min(self.purse[stake], LARGEST if ask.amount is None else ask.amount)
        self.move(ask.amount, stake, f"release:{ask.model}")

    def settle(self, round: Bout, scores: Scores) -> None:
        """Winners are paid from the treasury, as far as it goes; losers burn, of the stake first."""
        fractions = self.fractions(round, scores)
        exact = {model: Fraction(fraction) * round.at_risk[model] for model, fraction in fractions.items()}
        owed = {model: round_half_even(share) for model, share in exact.items()}
        won = {model: units for model, units in owed.items() if units > 0}
        total = round_half_even(sum((share for share in exact.values() if share > 0), Fraction()))
        paid = self.pay(won, total)
        for model, units in owed.items():
            if units < 0:
                paid[model] = -self.burn(model, -units)
        for model in round.at_risk:
            entry = (round.at_risk[model], fractions.get(model, 0.0), owed.get(model, 0), paid.get(model, 0))
            self.paid[round.number, model] = entry

    def fractions(self, round: Bout, scores: Scores) -> dict[str, float]:
        coins = sum(round.at_risk.values()) / COIN
        factor = THRESHOLD / max(coins, THRESHOLD)
        found = {}
        for model in (model for model, units in round.at_risk.items() if units):
            corr, mmc = scores(round.number, model)
            for_corr, for_mmc = round.chosen[model]
            weighted = (for_corr * corr if for_corr else 0.0) + (for_mmc * mmc if for_mmc else 0.0)
            found[model] = {
                "corr-or-twice-mmc": clipped(weighted, 0.25),
                "payout-factor": factor * clipped(weighted, 0.25),
                "steep": clipped(steep(corr, mmc), 1.0),
            }[round.rule]
        return found

    def pay(self, won: Mapping[str, int], total: int) -> dict[str, int]:
        """The treasury pays the exact total, rounded; a unit more or less is the rounding's, if that has it."""
        asked, has = sum(won.values()), self.purse["treasury"]
        helped = min(max(asked - total, 0), self.purse["rounding"])
        if asked - helped > has:
            won, spent = {model: units * has // asked for model, units in won.items()}, has
        else:
            spent = asked - helped if asked > total else min(total, has)
        self.move(spent, "treasury", "rounding")
        for model, units in won.items():
            self.move(units, "rounding", f"stake:{model}")
        return dict(won)

    def burn(self, model: str, units: int) -> int:
        """Of the stake, then of what is leaving, the wish that was first getting less; how much there was."""
        of_stake = min(units, self.purse[f"stake:{model}"])
        of_release = min(units - of_stake, self.purse[f"release:{model}"])
        self.move(of_stake, f"stake:{model}", "burned")
        self.move(of_release, f"release:{model}", "burned")
        rest = of_release
        for ask in self.leaving(model):
            lost = min(rest, ask.amount or 0)
            ask.amount, rest = (ask.amount or 0) - lost, rest - lost
        for round in self.running:
            round.burned_since[model] += (of_stake + of_release) if round.closed else 0
        return of_stake + of_release

    def pay_back(self) -> None:
        """Who waits for no round any more gets what is left; if no round has closed since, straight from the stake."""
        free = [ask for ask in self.asks.values() if not ask.more and all(round.resolved for round in ask.waits_for)]
        for ask in self.in_order("asked"):
            if ask in free:
                self.come_true(ask)
        for ask in free:
            if ask.state == "moved":
                ask.state = "over"
                self.move(ask.amount or 0, f"release:{ask.model}", f"wallet:{self.owner[ask.model]}")

    def in_order(self, state: str) -> list[Ask]:
        return sorted((a for a in self.asks.values() if a.state == state), key=lambda ask: (ask.at, ask.id))

    def leaving(self, model: str) -> list[Ask]:
        return [ask for ask in self.in_order("moved") if ask.model == model and not ask.more]

    def uncovered(self) -> Iterator[tuple[int, str]]:
        """Whose stake is no longer there to burn, though it was at risk and nothing has burned it."""
        for round in self.running:
            for model, units in round.at_risk.items():
                held = self.purse[f"stake:{model}"] + self.purse[f"release:{model}"]
                if held + round.burned_since[model] < units:
                    yield round.number, model


def round_half_even(exact: Fraction) -> int:
    down, rest = divmod(exact.numerator, exact.denominator)
    up = 2 * rest > exact.denominator or (2 * rest == exact.denominator and down % 2)
    return down + int(up)

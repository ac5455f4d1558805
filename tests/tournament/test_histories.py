"""Histories: tournaments played at random, weekly rounds over four weeks, beside books kept by hand in fractions.

The machine moves money only by what the functions under test return. The books beside it (`Books`) know nothing of
them: coins as fractions, a list of releases a model, dates counted in days, rounding by decimal arithmetic.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from crowdalpha.scoring.problems import InputError
from crowdalpha.tournament import ledger
from crowdalpha.tournament.money import LARGEST
from crowdalpha.tournament.rounds import Round, daily
from crowdalpha.tournament.settlement import settle
from crowdalpha.tournament.stakes import at_close, at_resolution, cancel, decrease, drain, freeze, increase

START = datetime(2026, 1, 3, tzinfo=UTC)
OWNER = {"m": "ada", "n": "ada", "o": "bob"}
ACCOUNTS = ("ada", "bob")
CHOICES = dict.fromkeys(OWNER, (1.0, 0.0))
UNIT = Fraction(1, 10**9)
EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
WEEKS_SCORED = 4

AMOUNT = st.one_of(st.integers(1, 50), st.integers(1, 10**12), st.integers(1, 2**62))
FRACTION = st.one_of(
    st.sampled_from([0.25, -0.25, 0.5, -0.5, 1.0, -1.0, 0.0]), st.floats(-1, 1), st.floats(-0.05, 0.05)
)
FRACTIONS = st.fixed_dictionaries(dict.fromkeys(OWNER, FRACTION))
ON_TIME = st.one_of(st.just(frozenset(OWNER)), st.frozensets(st.sampled_from(sorted(OWNER))))


def days(number):
    return START + timedelta(days=number)


def week(number):
    """Opens on day 7n - 2, closes on day 7n, resolves when the fourth round after it closes."""
    return Round(
        number=number,
        open_time=days(7 * number - 2),
        close_time=days(7 * number),
        scoring_times=daily(days(7 * number)),
        resolve_time=days(7 * (number + WEEKS_SCORED)),
        rule="mmc2_2020",
        commitment="0" * 64,
    )


def to_units(coins):
    """Whole units of a fraction of coins, half-even, by decimal arithmetic on enough digits to see every tie."""
    scaled = coins / UNIT
    whole, rest = divmod(scaled, 1)
    side = Decimal("0.25") if rest < Fraction(1, 2) else Decimal("0.5") if rest == Fraction(1, 2) else Decimal("0.75")
    side = Decimal(0) if rest == 0 else side
    return int(EXACT.quantize(EXACT.add(Decimal(whole), side), Decimal(1))) * UNIT


@dataclass
class Ask:
    """A stake change as the books see it: `state` is asked, in, home or off."""

    model: str
    kind: str
    coins: Fraction
    effective: int
    until: int | None
    state: str = "asked"


@dataclass
class Books:
    """The tournament by hand: coins in purses, plain loops, no entries."""

    purse: dict = field(default_factory=dict)
    asks: dict = field(default_factory=dict)
    open_bets: dict = field(default_factory=dict)
    paid_in: Fraction = Fraction(0)

    def get(self, name):
        return self.purse.get(name, Fraction(0))

    def add(self, name, coins):
        self.purse[name] = self.get(name) + coins

    def move(self, source, target, coins):
        self.add(source, -coins)
        self.add(target, coins)

    def pay_in(self, name, coins):
        self.add(name, coins)
        self.paid_in += coins

    def ask(self, id, model, kind, coins, day, resolved):
        """Count days: rounds close on every seventh day and open two days before."""
        opened = floor((day + 2) / 7)
        until = opened if opened > resolved and kind != "increase" else None
        staked = self.get(f"stake:{model}")
        ask = Ask(model, kind, coins, floor(day / 7) + 1, until)
        if kind == "increase":
            self.move(f"wallet:{OWNER[model]}", f"reserve:{model}", coins)
        elif kind == "drain" or coins > staked:
            ask.kind, ask.coins = "drain", staked
        if kind != "increase" and until is None:
            ask.state = "home"
            self.move(f"stake:{model}", f"wallet:{OWNER[model]}", ask.coins)
        self.asks[id] = ask

    def cancel(self, id):
        ask = self.asks[id]
        ask.state = "off"
        if ask.kind == "increase":
            self.move(f"reserve:{ask.model}", f"wallet:{OWNER[ask.model]}", ask.coins)

    def enter(self, ask):
        ask.state = "in"
        if ask.kind == "increase":
            self.move(f"reserve:{ask.model}", f"stake:{ask.model}", ask.coins)
            return
        staked = self.get(f"stake:{ask.model}")
        ask.coins = staked if ask.kind == "drain" or ask.coins > staked else ask.coins
        self.move(f"stake:{ask.model}", f"release:{ask.model}", ask.coins)

    def close(self, number, on_time):
        for ask in self.asks.values():
            if ask.state == "asked" and ask.effective <= number:
                self.enter(ask)
        self.open_bets[number] = {
            model: self.get(f"stake:{model}") + sum(ask.coins for ask in self.leaving(model) if ask.until >= number)
            if model in on_time
            else Fraction(0)
            for model in OWNER
        }

    def leaving(self, model):
        return [ask for ask in self.asks.values() if ask.model == model and ask.state == "in" and ask.until]

    def resolve(self, number, fractions):
        bets = self.open_bets.pop(number)
        shares = {model: Fraction(fractions[model]) * coins for model, coins in bets.items()}
        for model, share in shares.items():
            self.burn(model, to_units(-share) if share < 0 else Fraction(0))
        self.pay({model: share for model, share in shares.items() if share > 0})
        for ask in self.asks.values():
            if ask.until and ask.until <= number:
                if ask.state == "asked":
                    self.enter(ask)
                if ask.state == "in":
                    ask.state = "home"
                    self.move(f"release:{ask.model}", f"wallet:{OWNER[ask.model]}", ask.coins)

    def burn(self, model, coins):
        from_stake = min(coins, self.get(f"stake:{model}"))
        self.move(f"stake:{model}", "burned", from_stake)
        coins -= from_stake
        for ask in self.leaving(model):
            taken = min(coins, ask.coins)
            ask.coins -= taken
            coins -= taken
            self.move(f"release:{model}", "burned", taken)

    def pay(self, shares):
        rounded = {model: to_units(share) for model, share in shares.items()}
        asked, exact = sum(rounded.values(), Fraction(0)), to_units(sum(shares.values(), Fraction(0)))
        helped = max(Fraction(0), min(asked - exact, self.get("rounding")))
        if asked - helped > self.get("treasury"):
            pot = exact = self.get("treasury")
            rounded = {model: floor(pot * coins / asked / UNIT) * UNIT for model, coins in rounded.items()}
            asked, helped = sum(rounded.values(), Fraction(0)), Fraction(0)
        self.move("rounding", "treasury", helped)
        self.move("treasury", "rounding", max(Fraction(0), min(exact, self.get("treasury")) - asked))
        for model, coins in rounded.items():
            self.move("treasury", f"stake:{model}", coins)


class Histories(RuleBasedStateMachine):
    """Anything anybody can do, in any order, at any time, with any amount."""

    def __init__(self):
        super().__init__()
        self.held, self.entries, self.changes, self.at_risk = {}, [], {}, {}
        self.books = Books()
        self.day, self.closed, self.keys = Fraction(0), 0, 0

    @property
    def now(self):
        return START + timedelta(hours=int(24 * self.day))

    @property
    def resolved(self):
        return max(0, self.closed - WEEKS_SCORED)

    @property
    def unresolved(self):
        return [week(number) for number in range(self.resolved + 1, self.closed + 3)]

    def key(self):
        self.keys += 1
        return f"{self.keys:04}"

    def post(self, entry):
        self.held = ledger.apply(self.held, entry)
        self.entries.append(entry)

    def take(self, step):
        if step.entry:
            self.post(step.entry)
        self.changes[step.change.id] = step.change

    def refused(self, code, act):
        with pytest.raises(InputError) as refused:
            act()
        assert refused.value.code == code

    @initialize(treasury=st.one_of(st.just(0), AMOUNT), staked=st.fixed_dictionaries(dict.fromkeys(OWNER, AMOUNT)))
    def begin(self, treasury, staked):
        """A treasury, possibly empty, and models that have staked before the first round."""
        if treasury:
            self.deposit("treasury", treasury)
        for model, amount in staked.items():
            self.deposit(ledger.wallet(OWNER[model]), amount // 4 + 1)
            self.ask_more(model, amount // 8 + 1)

    @rule(into=st.sampled_from(["treasury", "wallet:ada", "wallet:bob"]), amount=AMOUNT)
    def deposit(self, into, amount):
        entry = ledger.deposit(self.key(), amount, self.now, into=into)
        if self.books.paid_in / UNIT + amount > LARGEST:
            self.refused("balance_too_large", lambda: self.post(entry))
            return
        self.post(entry)
        self.books.pay_in(into, amount * UNIT)

    @rule(out_of=st.sampled_from(["treasury", "wallet:ada", "wallet:bob"]), amount=AMOUNT)
    def withdraw(self, out_of, amount):
        entry = ledger.withdrawal(self.key(), amount, self.now, out_of=out_of)
        if self.books.get(out_of) < amount * UNIT:
            self.refused("overdrawn", lambda: self.post(entry))
            return
        self.post(entry)
        self.books.pay_in(out_of, -amount * UNIT)

    @rule(model=st.sampled_from(sorted(OWNER)), amount=AMOUNT)
    def ask_more(self, model, amount):
        self.ask(increase, model, amount, self.books.get(f"wallet:{OWNER[model]}") >= amount * UNIT, "overdrawn")

    @rule(model=st.sampled_from(sorted(OWNER)), amount=AMOUNT)
    def ask_less(self, model, amount):
        self.ask(decrease, model, amount, self.books.get(f"stake:{model}") > 0, "nothing_staked")

    @rule(model=st.sampled_from(sorted(OWNER)), parts=st.integers(1, 9))
    def ask_for_a_part(self, model, parts):
        """Like `ask_less`, with an amount that is there."""
        self.ask_less(model, max(1, self.held.get(ledger.stake(model), 0) * parts // 10))

    @rule(model=st.sampled_from(sorted(OWNER)))
    def ask_for_all(self, model):
        self.ask(drain, model, None, self.books.get(f"stake:{model}") > 0, "nothing_staked")

    def ask(self, verb, model, amount, possible, code):
        id, where = self.key(), {"account": OWNER[model], "unresolved": self.unresolved, "balances": self.held}
        arguments = (id, model, self.now) if amount is None else (id, model, amount, self.now)
        if not possible:
            self.refused(code, lambda: verb(*arguments, **where))
            return
        self.take(verb(*arguments, **where))
        self.books.ask(id, model, verb.__name__, (amount or 0) * UNIT, self.day, self.resolved)

    @precondition(lambda self: self.changes)
    @rule(data=st.data())
    def change_ones_mind(self, data):
        change = self.changes[data.draw(st.sampled_from(sorted(self.changes)))]
        if self.books.asks[change.id].state != "asked":
            self.refused(
                "not_pending", lambda: cancel(change, self.now, account=OWNER[change.model], unresolved=self.unresolved)
            )
            return
        self.take(cancel(change, self.now, account=OWNER[change.model], unresolved=self.unresolved))
        self.books.cancel(change.id)

    @rule(hours=st.integers(1, 100))
    def wait(self, hours):
        """Some hours, but not past the next close."""
        self.day = min(self.day + Fraction(hours, 24), 7 * (self.closed + 1) - Fraction(1, 24))

    @rule(on_time=ON_TIME, fractions=FRACTIONS, late=st.sampled_from([0, 0, 12, 72]))
    def next_week(self, on_time, fractions, late):
        """The older round resolves, then the next one closes; sometimes days after it was due."""
        number = self.closed + 1
        self.day = 7 * number + Fraction(late, 24)
        if number > WEEKS_SCORED:
            self.resolve(number - WEEKS_SCORED, fractions)
        for step in at_close(number, self.changes.values(), self.now, balances=self.held):
            self.take(step)
        self.at_risk[number] = freeze(
            number, CHOICES, on_time=on_time, changes=self.changes.values(), balances=self.held
        )
        self.books.close(number, on_time)
        self.closed = number
        assert {risk.model: risk.amount * UNIT for risk in self.at_risk[number]} == self.books.open_bets[number]

    def resolve(self, number, fractions):
        risks, before = self.at_risk.pop(number), self.held
        settlement = settle(number, risks, fractions, self.now, balances=self.held)
        if settlement.entry:
            self.post(settlement.entry)
        for risk, payout in zip(risks, settlement.payouts, strict=True):
            accounts = ledger.stake(risk.model), ledger.release(risk.model)
            assert payout.paid == sum(self.held.get(each, 0) - before.get(each, 0) for each in accounts)
            assert abs(payout.paid) <= risk.amount
        for step in at_resolution(number, self.changes.values(), self.now, accounts=OWNER, balances=self.held):
            self.take(step)
        self.books.resolve(number, fractions)

    @invariant()
    def the_sum_over_all_accounts_never_moves(self):
        assert sum(self.held.values()) == 0
        assert self.held == ledger.balances(self.entries)

    @invariant()
    def nothing_is_below_zero(self):
        assert all(amount >= 0 for account, amount in self.held.items() if account != ledger.EXTERNAL)

    @invariant()
    def every_account_holds_what_the_books_say(self):
        purse = {account: coins for account, coins in self.books.purse.items() if coins}
        held = {account: amount * UNIT for account, amount in self.held.items() if amount}
        assert held.pop(ledger.EXTERNAL, 0) == -self.books.paid_in
        assert held == purse

    @invariant()
    def reserves_and_releases_are_what_the_changes_say(self):
        for model in OWNER:
            mine = [change for change in self.changes.values() if change.model == model]
            reserved = sum(change.amount for change in mine if (change.kind, change.status) == ("increase", "pending"))
            leaving = sum(change.amount for change in mine if change.status == "effective" and change.release_round)
            assert self.held.get(ledger.reserve(model), 0) == reserved
            assert self.held.get(ledger.release(model), 0) == leaving

    @invariant()
    def the_burned_stay_burned(self):
        burned = [posting.amount for e in self.entries for posting in e.postings if posting.account == ledger.BURNED]
        assert all(amount > 0 for amount in burned)
        assert sum(burned) == self.held.get(ledger.BURNED, 0)


def test_any_history_moves_money_without_making_or_losing_any():
    run_state_machine_as_test(Histories, settings=settings(max_examples=60, stateful_step_count=40))


@pytest.mark.slow
def test_ten_thousand_steps_and_more_of_any_history_make_or_lose_nothing():
    run_state_machine_as_test(Histories, settings=settings(max_examples=400, stateful_step_count=60))


def played(stake, rounds, treasury=2**62):
    """Weekly rounds of one model that never touches its stake: what was at risk, and what each round paid."""
    held = {"treasury": treasury, "stake:m": stake, "external": -treasury - stake}
    at_risk, paid = {}, {}
    for number in range(1, len(rounds) + 1):
        older = number - WEEKS_SCORED
        if older > 0:
            settlement = settle(older, at_risk[older], {"m": rounds[older - 1]}, days(7 * number), balances=held)
            held = ledger.apply(held, settlement.entry) if settlement.entry else held
            paid[older] = settlement.payouts[0].paid
        at_risk[number] = freeze(number, {"m": (1.0, 0.0)}, on_time={"m"}, changes=(), balances=held)
    return [at_risk[number][0].amount for number in sorted(at_risk)], [paid[number] for number in sorted(paid)]


@given(st.integers(1, 2**58), st.lists(st.one_of(st.floats(-1, 1), st.floats(-0.05, 0.05)), min_size=5, max_size=20))
def test_a_stake_is_last_weeks_stake_and_what_the_round_of_four_weeks_ago_paid(stake, rounds):
    stakes, payouts = played(stake, rounds)
    assert stakes[:WEEKS_SCORED] == [stake] * WEEKS_SCORED
    for number in range(WEEKS_SCORED, len(rounds)):
        assert stakes[number] == stakes[number - 1] + payouts[number - WEEKS_SCORED]


def test_a_tenth_a_week_compounds_four_weeks_late():
    stakes, payouts = played(1_000_000, [0.1] * 9)
    assert stakes == [1_000_000] * 4 + [1_100_000, 1_200_000, 1_300_000, 1_400_000, 1_510_000]
    assert payouts == [100_000] * 4 + [110_000]


def test_four_rounds_that_burn_a_quarter_each_of_the_same_stake_burn_all_of_it_and_the_fifth_finds_none():
    stakes, payouts = played(100, [-0.25] * 9)
    assert stakes == [100, 100, 100, 100, 75, 50, 25, 0, 0]
    assert payouts == [-25, -25, -25, -25, 0]


def test_leaving_in_time_is_not_a_way_to_earn_without_risk():
    """Who leaves while round 1 is open is still at risk in it, and in no round that would burn after he is gone."""
    held, account = {"treasury": 1000, "stake:m": 100, "external": -1100}, {"account": "ada"}
    rounds = [week(number) for number in range(1, 6)]
    asked = drain("1", "m", days(6), **account, unresolved=rounds, balances=held)
    (step,) = at_close(1, [asked.change], days(7), balances=held)
    held = ledger.apply(held, step.entry)
    frozen = [
        freeze(number, {"m": (1.0, 0.0)}, on_time={"m"}, changes=[step.change], balances=held)[0].amount
        for number in (1, 2, 3, 4)
    ]
    assert frozen == [100, 0, 0, 0]

"""Stakes: when they move, what of them is at risk, and that nobody leaves before the burns."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdalpha.scoring.problems import InputError
from crowdalpha.tournament import ledger
from crowdalpha.tournament.rounds import Round, daily
from crowdalpha.tournament.settlement import settle
from crowdalpha.tournament.stakes import (
    AtRisk,
    StakeChange,
    at_close,
    at_resolution,
    cancel,
    decrease,
    drain,
    effective_round,
    freeze,
    increase,
    release_round,
)

START = datetime(2026, 1, 3, 18, tzinfo=UTC)
OWNER = {"m": "ada", "n": "bob"}
CHOICES = {"m": (1.0, 0.0), "n": (0.0, 2.0)}


def day(number):
    return START + timedelta(days=number)


def week(number):
    """A weekly round, open on days 7n to 7n + 2, resolved four weeks later, when the fourth round after it closes."""
    close = day(7 * number + 2)
    return Round(
        number=number,
        open_time=day(7 * number),
        close_time=close,
        scoring_times=daily(close),
        resolve_time=close + timedelta(days=28),
        rule="mmc2_2020",
        commitment="0" * 64,
    )


WEEKS = tuple(week(number) for number in range(1, 8))


class Desk:
    """Balances and changes, moved by whatever the functions under test return."""

    def __init__(self, **coins):
        self.held = {f"{name.replace('_', ':')}": amount for name, amount in coins.items()}
        self.changes = {}

    def take(self, steps):
        for step in steps if isinstance(steps, tuple) else (steps,):
            self.held = ledger.apply(self.held, step.entry) if step.entry else self.held
            self.changes[step.change.id] = step.change
        return steps

    def ask(self, verb, id, model, *amount, at, unresolved=WEEKS):
        return self.take(
            verb(id, model, *amount, at, account=OWNER[model], unresolved=unresolved, balances=self.held)
        ).change

    def close(self, number, at=None, on_time=("m", "n")):
        self.take(at_close(number, self.changes.values(), at or week(number).close_time, balances=self.held))
        return {risk.model: risk.amount for risk in self.freeze(number, on_time)}

    def freeze(self, number, on_time=("m", "n")):
        return freeze(number, CHOICES, on_time=on_time, changes=self.changes.values(), balances=self.held)

    def resolve(self, number, at=None, **burned):
        at = at or week(number).resolve_time
        risks = [AtRisk(number, model, amount, 1.0, 0.0) for model, amount in burned.items()]
        entry = settle(number, risks, dict.fromkeys(burned, -1.0), at, balances=self.held).entry
        self.held = ledger.apply(self.held, entry) if entry else self.held
        return self.take(at_resolution(number, self.changes.values(), at, accounts=OWNER, balances=self.held))

    def __getitem__(self, account):
        return self.held.get(account, 0)


def codes(refused):
    return [problem.code for problem in refused.value.problems]


def test_an_increase_is_reserved_at_once_and_staked_at_the_next_close():
    desk = Desk(wallet_ada=100)
    change = desk.ask(increase, "1", "m", 60, at=day(8))
    assert (change.status, change.effective_round, change.release_round) == ("pending", 1, None)
    assert (desk["wallet:ada"], desk["reserve:m"], desk["stake:m"]) == (40, 60, 0)
    assert desk.close(1) == {"m": 60, "n": 0}
    assert (desk["reserve:m"], desk["stake:m"], desk.changes["1"].status) == (0, 60, "effective")


def test_what_is_reserved_cannot_be_spent_again():
    desk = Desk(wallet_ada=100)
    desk.ask(increase, "1", "m", 60, at=day(8))
    with pytest.raises(InputError, match=r"at least 0\.000000041 in the wallet, found 0\.00000004;") as refused:
        desk.ask(increase, "2", "m", 41, at=day(8))
    assert codes(refused) == ["overdrawn"]
    with pytest.raises(InputError):
        ledger.apply(desk.held, ledger.withdrawal("1", 41, day(8), out_of="wallet:ada"))


def test_a_change_asked_for_at_the_very_close_waits_for_the_next_one():
    assert effective_round(WEEKS, week(1).close_time - timedelta(microseconds=1)) == 1
    assert effective_round(WEEKS, week(1).close_time) == 2


def test_a_change_asked_for_after_the_close_is_not_taken_along_by_a_late_one():
    desk = Desk(wallet_ada=100)
    desk.ask(increase, "1", "m", 60, at=week(1).close_time + timedelta(minutes=1))
    assert desk.close(1, at=week(1).close_time + timedelta(minutes=5)) == {"m": 0, "n": 0}
    assert desk.close(2) == {"m": 60, "n": 0}


def test_before_any_round_is_known_a_change_waits_for_the_first():
    assert effective_round([], START) == 1
    assert effective_round(WEEKS, day(100)) == 8
    assert release_round([], START) is None


def test_the_last_round_open_or_scoring_holds_a_decrease_whatever_its_clock_says():
    assert release_round(WEEKS, week(3).open_time) == 3
    assert release_round(WEEKS, week(3).open_time - timedelta(microseconds=1)) == 2
    assert release_round(WEEKS[:2], week(2).resolve_time + timedelta(days=9)) == 2
    assert release_round(WEEKS, week(1).open_time - timedelta(microseconds=1)) is None


def test_a_decrease_burns_until_the_round_that_was_open_is_resolved_and_then_comes_home():
    desk = Desk(stake_m=100)
    change = desk.ask(decrease, "1", "m", 40, at=day(15))
    assert (change.kind, change.effective_round, change.release_round, change.status) == ("decrease", 2, 2, "pending")
    assert desk["stake:m"] == 100
    assert desk.close(2)["m"] == 100
    assert (desk["stake:m"], desk["release:m"]) == (60, 40)
    assert desk.resolve(1) == ()
    assert desk.resolve(2) != ()
    assert (desk["stake:m"], desk["release:m"], desk["wallet:ada"]) == (60, 0, 40)
    assert desk.changes["1"].status == "released"


def test_a_release_is_not_at_risk_in_rounds_that_burn_after_it_is_gone():
    desk = Desk(stake_m=100)
    desk.ask(drain, "1", "m", at=day(15))
    assert desk.close(2)["m"] == 100
    assert desk.close(3)["m"] == 0


def test_without_an_open_round_a_decrease_waits_for_those_being_scored_and_risks_nothing_new():
    desk = Desk(stake_m=100)
    change = desk.ask(decrease, "1", "m", 40, at=day(12))
    assert (change.effective_round, change.release_round) == (2, 1)
    assert desk.close(2)["m"] == 60
    desk.resolve(1)
    assert (desk["stake:m"], desk["wallet:ada"]) == (60, 40)


def test_where_nothing_runs_a_stake_comes_home_at_once():
    for verb, amount, left in ((decrease, (40,), 60), (drain, (), 0)):
        desk = Desk(stake_m=100)
        change = desk.ask(verb, "1", "m", *amount, at=day(1), unresolved=WEEKS[3:])
        assert (change.status, change.release_round) == ("released", None)
        assert (desk["stake:m"], desk["wallet:ada"]) == (left, 100 - left)


def test_a_round_that_is_overdue_still_holds_who_wants_to_leave():
    desk = Desk(stake_m=100)
    late = week(1).resolve_time + timedelta(hours=3)
    assert desk.ask(drain, "1", "m", at=late, unresolved=WEEKS[:1]).status == "pending"
    desk.resolve(1, at=late, m=30)
    assert (desk["burned"], desk["wallet:ada"], desk["stake:m"]) == (30, 70, 0)


def test_the_last_round_of_a_tournament_lets_everybody_go_though_no_round_closes_after_it():
    desk = Desk(stake_m=100)
    change = desk.ask(decrease, "1", "m", 40, at=day(12), unresolved=WEEKS[:1])
    assert (change.effective_round, change.release_round) == (2, 1)
    effective, paid = desk.resolve(1)
    assert (effective.entry.id, paid.entry.id) == ("stake:1", "release:1")
    assert (desk["stake:m"], desk["wallet:ada"], desk.changes["1"].status) == (60, 40, "released")


def test_a_decrease_above_the_stake_is_a_drain():
    desk = Desk(stake_m=100)
    assert desk.ask(decrease, "1", "m", 100, at=day(8)).kind == "decrease"
    change = desk.ask(decrease, "2", "m", 101, at=day(8))
    assert (change.kind, change.amount) == ("drain", 100)


def test_a_drain_takes_what_was_earned_since_it_was_asked_for_and_a_decrease_does_not():
    for verb, amount, left in ((drain, (), 0), (decrease, (100,), 20)):
        desk = Desk(stake_m=100)
        desk.ask(verb, "1", "m", *amount, at=day(8))
        desk.held["stake:m"] += 20
        desk.close(1)
        assert (desk["stake:m"], desk["release:m"], desk.changes["1"].amount) == (left, 120 - left, 120 - left)


def test_a_decrease_moves_no_more_than_burns_have_left():
    desk = Desk(stake_m=100)
    desk.ask(decrease, "1", "m", 60, at=day(8))
    desk.ask(decrease, "2", "m", 30, at=day(8))
    desk.held["stake:m"] = 70
    desk.close(1)
    assert [desk.changes[id].amount for id in "12"] == [60, 10]
    assert (desk["stake:m"], desk["release:m"]) == (0, 70)


def test_a_decrease_that_finds_nothing_left_moves_nothing_and_ends():
    desk = Desk(stake_m=100)
    desk.ask(drain, "1", "m", at=day(8))
    desk.ask(drain, "2", "m", at=day(8))
    desk.close(1)
    assert desk.changes["2"] == replace(desk.changes["2"], amount=0, status="effective")
    steps = desk.resolve(1)
    assert [(step.change.id, step.entry is None) for step in steps] == [("1", False), ("2", True)]
    assert {change.status for change in desk.changes.values()} == {"released"}
    assert desk["wallet:ada"] == 100


def test_what_burns_of_a_release_is_taken_off_the_decrease_that_leaves_first():
    desk = Desk(stake_m=100)
    desk.ask(decrease, "1", "m", 30, at=day(15))
    desk.close(2)
    desk.ask(decrease, "2", "m", 70, at=day(22))
    assert desk.close(3)["m"] == 70
    desk.resolve(1, m=45)
    assert [desk.changes[id].amount for id in "12"] == [0, 55]
    assert desk.freeze(4)[0].amount == 0
    desk.resolve(2)
    assert (desk["wallet:ada"], desk["release:m"]) == (0, 55)
    desk.resolve(3)
    assert (desk["wallet:ada"], desk["release:m"], desk["burned"]) == (55, 0, 45)


def test_the_burns_of_one_model_leave_the_releases_of_another_alone():
    desk = Desk(stake_m=100, stake_n=100)
    desk.ask(drain, "1", "m", at=day(8))
    desk.ask(drain, "2", "n", at=day(8))
    desk.close(1)
    desk.resolve(1, m=25)
    assert (desk["wallet:ada"], desk["wallet:bob"], desk["burned"]) == (75, 100, 25)


@pytest.mark.parametrize(("verb", "amount"), [(increase, (40,)), (decrease, (40,)), (drain, ())])
def test_a_pending_change_can_be_cancelled_and_all_is_as_before(verb, amount):
    desk = Desk(wallet_ada=50, stake_m=100)
    before = dict(desk.held)
    change = desk.ask(verb, "1", "m", *amount, at=day(8))
    cancelled = desk.take(cancel(change, day(8), account="ada", unresolved=WEEKS))
    assert cancelled.change == replace(change, status="cancelled")
    assert {account: held for account, held in desk.held.items() if held} == before
    assert desk.close(1)["m"] == 100
    assert desk.resolve(1) == ()


@pytest.mark.parametrize("status", ["effective", "cancelled", "released"])
def test_what_is_not_pending_any_more_cannot_be_cancelled(status):
    with pytest.raises(InputError) as refused:
        cancel(StakeChange("1", "m", "increase", 5, START, 1, status), START, account="ada", unresolved=WEEKS)
    assert codes(refused) == ["not_pending"]
    assert refused.value.problems[0].where == "stake change 1"


def test_a_late_close_is_no_time_to_change_ones_mind():
    desk = Desk(wallet_ada=100)
    change = desk.ask(increase, "1", "m", 60, at=day(8))
    with pytest.raises(InputError, match="found round 1 closed") as refused:
        cancel(change, week(1).close_time, account="ada", unresolved=WEEKS)
    assert codes(refused) == ["not_pending"]
    later = desk.ask(increase, "2", "m", 40, at=week(1).close_time)
    assert cancel(later, week(1).close_time, account="ada", unresolved=WEEKS).change.status == "cancelled"


def test_a_model_without_stake_has_nothing_to_take_back():
    for verb, amount in ((decrease, (5,)), (drain, ())):
        with pytest.raises(InputError) as refused:
            Desk(reserve_m=50).ask(verb, "1", "m", *amount, at=day(8))
        assert codes(refused) == ["nothing_staked"]


@pytest.mark.parametrize(("amount", "code"), [
    (0, "amount_not_positive"), (-5, "amount_not_positive"), (1.5, "not_whole_units"), (2**63, "amount_too_large"),
])  # fmt: skip
def test_a_change_is_an_amount_above_zero(amount, code):
    for verb in (increase, decrease):
        with pytest.raises(InputError) as refused:
            Desk(wallet_ada=10, stake_m=10).ask(verb, "1", "m", amount, at=day(8))
        assert codes(refused) == [code]


def test_all_that_keeps_a_decrease_from_being_made_is_said_at_once():
    with pytest.raises(InputError) as refused:
        Desk().ask(decrease, "1", "m", 0, at=day(8))
    assert codes(refused) == ["amount_not_positive", "nothing_staked"]


def test_changes_become_effective_in_the_order_they_were_asked_for():
    changes = [
        StakeChange("b", "m", "decrease", 70, day(8), 1, release_round=1),
        StakeChange("c", "m", "increase", 50, day(7), 1),
        StakeChange("a", "m", "decrease", 70, day(8), 1, release_round=1),
    ]
    steps = at_close(1, changes, day(9), balances={"reserve:m": 50, "stake:m": 60})
    assert [(step.change.id, step.change.amount) for step in steps] == [("c", 50), ("a", 70), ("b", 40)]
    assert [step.entry.id for step in steps] == ["stake:c", "stake:a", "stake:b"]


def test_closing_or_resolving_a_second_time_does_nothing():
    desk = Desk(wallet_ada=100, stake_m=100)
    desk.ask(increase, "1", "m", 60, at=day(8))
    desk.ask(decrease, "2", "m", 40, at=day(8))
    desk.close(1)
    assert at_close(1, desk.changes.values(), day(9), balances=desk.held) == ()
    desk.resolve(1, m=150)
    assert at_resolution(1, desk.changes.values(), day(40), accounts=OWNER, balances=desk.held) == ()


def test_without_a_submission_on_time_nothing_is_at_risk():
    desk = Desk(stake_m=100, stake_n=50)
    assert desk.close(1, on_time={"n"}) == {"m": 0, "n": 50}


def test_what_is_at_risk_is_frozen_with_the_payout_the_model_chose():
    desk = Desk(stake_m=100, stake_n=50)
    assert desk.freeze(1) == (AtRisk(1, "m", 100, 1.0, 0.0), AtRisk(1, "n", 50, 0.0, 2.0))


AMOUNT = st.integers(1, 2**62)


@given(AMOUNT, AMOUNT, st.data())
def test_asking_changing_ones_mind_and_asking_again_moves_nothing(wallet, staked, data):
    desk = Desk(wallet_ada=wallet, stake_m=staked)
    before = dict(desk.held)
    for id in "1234":
        verb = data.draw(st.sampled_from([increase, decrease, drain]))
        amount = () if verb is drain else (data.draw(st.integers(1, wallet if verb is increase else 2**62)),)
        desk.take(cancel(desk.ask(verb, id, "m", *amount, at=day(8)), day(8), account="ada", unresolved=WEEKS))
    assert {account: held for account, held in desk.held.items() if held} == before


PART = st.integers(1, 2**60)


@given(st.integers(0, 2**60), st.lists(PART, max_size=3), st.lists(PART, max_size=3), st.integers(0, 2**62))
def test_whatever_burns_releases_are_to_the_unit_what_their_decreases_say(rest, sooner, later, burn):
    whole = rest + sum(sooner) + sum(later)
    desk = Desk(stake_m=whole)
    for number, parts in ((2, sooner), (3, later)):
        for i, part in enumerate(parts):
            desk.ask(decrease, f"{number}-{i}", "m", part, at=week(number).open_time)
        desk.close(number)
    for number, running in ((1, {"effective"}), (2, {"effective"}), (3, set())):
        desk.resolve(number, m=burn // 2)
        in_release = [change.amount for change in desk.changes.values() if change.status == "effective"]
        assert desk["release:m"] == sum(in_release)
        assert {change.status for change in desk.changes.values()} <= running | {"released"}
        assert desk["wallet:ada"] + desk["stake:m"] + desk["release:m"] + desk["burned"] == whole

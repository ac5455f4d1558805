"""Nobody leaves a round that has begun before it is settled, whatever clocks, targets and other rounds do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from seasons import COIN, IDS, MODELS, START, WEEK, new, target, upload, weekly

from crowdalpha.engine import Engine
from crowdalpha.scoring.problems import InputError
from crowdalpha.storage.memory import MemoryStore
from crowdalpha.tournament.records import Progress
from crowdalpha.tournament.rounds import Stage
from crowdalpha.tournament.settlement import Payout
from crowdalpha.tournament.stakes import AtRisk, StakeChange

HOUR = timedelta(hours=1)
FIRST, SECOND = weekly(1), weekly(2)


def hand_in(engine: Engine, number: int) -> None:
    for day in (None, *range(1, 21)):
        engine.set_target(number, day, dict(zip(IDS, target(number), strict=True)))


def everybody_sends(engine: Engine, number: int) -> None:
    engine.tick(weekly(number).open_time)
    for model in MODELS:
        engine.submit(f"{number}-{model}", model, upload(number, model), weekly(number).open_time)
    engine.tick(weekly(number).close_time)


def test_who_is_at_risk_in_a_round_that_settles_late_does_not_leave_when_a_newer_one_resolves() -> None:
    engine = new(MemoryStore(), rounds=3)
    everybody_sends(engine, 1)
    everybody_sends(engine, 2)
    engine.stake_drain("out", "ada", SECOND.close_time)
    hand_in(engine, 2)
    engine.tick(SECOND.resolve_time)
    with engine.store.reading() as work:
        assert {p.round for p in work.find(Progress, stage=Stage.RESOLVED)} == {2}
        at_risk = work.get(AtRisk, 1, "ada").amount
        assert work.balance("wallet:ada") == 900 * COIN
        assert work.balance("stake:ada") + work.balance("release:ada") >= at_risk
    hand_in(engine, 1)
    engine.tick(SECOND.resolve_time)
    with engine.store.reading() as work:
        paid = [payout.paid for payout in work.find(Payout, model="ada")]
        assert len(paid) == 2
        assert work.balance("wallet:ada") == 900 * COIN + at_risk
        assert work.balance("stake:ada") == sum(paid)
        assert work.find(StakeChange, status="released")[0].id == "out"


def test_a_clock_that_is_put_back_leads_nobody_out_of_a_round() -> None:
    engine = new(MemoryStore(), rounds=1)
    everybody_sends(engine, 1)
    asked = engine.stake_drain("out", "ada", START)
    assert (asked.status, asked.release_round, asked.requested_at) == ("pending", 1, FIRST.open_time)
    assert engine.account("ada").wallet == 900 * COIN


def test_what_is_asked_for_after_a_close_does_not_count_in_it_even_if_the_clock_was_put_back() -> None:
    engine = new(MemoryStore(), rounds=0)
    now = FIRST.close_time + HOUR
    engine.stake_increase("more", "ada", COIN, now)
    engine.schedule(FIRST, IDS, START)
    assert engine.tick(now) == ["open:1", "close:1"]
    with engine.store.reading() as work:
        assert (work.balance("stake:ada"), work.balance("reserve:ada")) == (100 * COIN, COIN)
    assert engine.stake_cancel("more", now).status == "cancelled"


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("what", ["open_time", "close_time"])
def test_rounds_open_and_close_in_the_order_of_their_numbers_or_are_not_announced(number: int, what: str) -> None:
    engine = new(MemoryStore(), rounds=0)
    engine.schedule(SECOND, IDS, START)
    earlier, later = sorted([SECOND.open_time, SECOND.close_time])
    astray = (
        {"open_time": earlier + HOUR, "close_time": later + HOUR}
        if number == 1
        else {"open_time": earlier - HOUR, "close_time": later - HOUR}
    )
    fitting = weekly(number, open_time=SECOND.open_time, close_time=SECOND.close_time, scoring_times=())
    with pytest.raises(InputError) as refused:
        engine.schedule(
            weekly(
                number,
                **{
                    "open_time": SECOND.open_time,
                    "close_time": SECOND.close_time,
                    "scoring_times": (),
                    what: astray[what],
                },
            ),
            IDS,
            START,
        )
    assert refused.value.code == "rounds_out_of_order"
    assert engine.schedule(fitting, IDS, START).number == number


def test_a_change_of_stake_does_not_wait_for_a_week_that_is_not_announced() -> None:
    engine = new(MemoryStore(), rounds=0)
    engine.stake_increase("more", "ada", COIN, START)
    engine.schedule(weekly(9), IDS, START + WEEK)
    engine.tick(weekly(9).close_time)
    with engine.store.reading() as work:
        assert work.balance("stake:ada") == 101 * COIN

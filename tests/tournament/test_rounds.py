"""Rounds and what is due in them: a clock may tick, jump, stop or run twice, and the tournament goes the same way."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha.scoring.problems import InputError
from crowdalpha.tournament.rounds import (
    Action,
    Due,
    Round,
    Stage,
    advance,
    daily,
    due,
    due_of_all,
    pending,
    timetable,
)

some = settings(max_examples=40)
START = datetime(2020, 5, 2, 18, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)


def a_round(number=1, start=START, window=2 * DAY, n_days=20, lag=DAY, **changes):
    close = start + window
    days = daily(close, n_days, lag=lag)
    given = {
        "number": number,
        "open_time": start,
        "close_time": close,
        "scoring_times": days,
        "resolve_time": (days[-1] if days else close) + HOUR,
        "rule": "mmc2_2020",
        "commitment": "0" * 64,
    }
    return Round(**given | changes)


@st.composite
def rounds(draw, number=1, longest=2 * DAY):
    """A round of odd times: whole minutes, at least one apart, few scoring days, perhaps none."""
    gaps = draw(st.lists(st.integers(1, longest // MINUTE), min_size=3, max_size=8))
    first = START + draw(st.integers(0, longest // MINUTE)) * MINUTE
    times = [first]
    for gap in gaps:
        times.append(times[-1] + gap * MINUTE)
    opened, close, *days, resolve = times
    return a_round(number, open_time=opened, close_time=close, scoring_times=tuple(days), resolve_time=resolve, lag=DAY)


def several(longest):
    return st.integers(1, 4).flatmap(lambda n: st.tuples(*[rounds(i, longest) for i in range(1, n + 1)]))


crowds_of_rounds = several(2 * DAY)


class Clockwork:
    """A tournament that only keeps time: does what is due at each tick, in order, and writes it down."""

    def __init__(self, rounds):
        self.states = {round.number: (round, Stage.SCHEDULED, frozenset()) for round in rounds}
        self.history = []

    def tick(self, now, at_most=None):
        for event in due_of_all(self.states.values(), now)[:at_most]:
            round, stage, done = self.states[event.round]
            self.states[event.round] = (round, *advance(round, stage, done, event))
            self.history.append(event)


def history_of(rounds, ticks):
    clockwork = Clockwork(rounds)
    for now in ticks:
        clockwork.tick(now)
    return clockwork.history


def everything(rounds):
    return sorted(event for round in rounds for event in timetable(round))


def last_moment(rounds):
    return max(round.resolve_time for round in rounds)


def minutes_until(end):
    return [START + i * MINUTE for i in range((end - START) // MINUTE + 1)]


# The order of things


def test_a_round_opens_closes_is_scored_day_by_day_and_resolves():
    keys = [event.key for event in timetable(a_round(7, n_days=3))]
    assert keys == ["open:7", "close:7", "score:7:1", "score:7:2", "score:7:3", "resolve:7"]


def test_a_round_passes_through_its_five_stages():
    round = a_round(n_days=2)
    stage, done, stages = Stage.SCHEDULED, frozenset(), ["scheduled"]
    for event in timetable(round):
        stage, done = advance(round, stage, done, event)
        stages.append(stage)
    assert stages == ["scheduled", "open", "closed", "scoring", "scoring", "resolved"]
    assert done == {1, 2}


def test_twenty_scoring_days_are_the_default_and_start_a_day_after_the_close():
    days = daily(START)
    assert len(days) == 20
    assert days[0] == START + DAY
    assert days[-1] == START + 20 * DAY
    assert daily(START, 2, lag=2 * DAY) == (START + 2 * DAY, START + 3 * DAY)


def test_a_round_without_scoring_days_resolves_straight_after_its_close():
    round = a_round(n_days=0)
    assert [event.action for event in due(round, Stage.CLOSED, [], round.resolve_time)] == [Action.RESOLVE]


@given(rounds())
def test_the_timetable_is_strictly_in_order_of_time(round):
    times = [event.time for event in timetable(round)]
    assert times == sorted(set(times))
    actions = [event.action for event in timetable(round)]
    assert actions[:2] == [Action.OPEN, Action.CLOSE]
    assert actions[-1] == Action.RESOLVE
    assert set(actions[2:-1]) <= {Action.SCORE}


@some
@given(crowds_of_rounds)
def test_no_two_due_events_share_a_key(rounds):
    events = everything(rounds)
    assert len({event.key for event in events}) == len(events)


def test_an_event_is_due_from_its_very_moment_on():
    round = a_round()
    assert due(round, Stage.SCHEDULED, [], round.open_time - timedelta(microseconds=1)) == ()
    assert due(round, Stage.SCHEDULED, [], round.open_time) == (Due(round.open_time, 1, Action.OPEN),)


def test_submissions_are_on_time_from_the_opening_up_to_but_not_at_the_close():
    round = a_round()
    moments = [round.open_time - SECOND, round.open_time, round.close_time - SECOND, round.close_time]
    assert [round.accepts(moment) for moment in moments] == [False, True, True, False]


# The clock


@settings(max_examples=20)
@given(several(2 * HOUR))
def test_ticking_every_minute_does_each_thing_at_its_minute_and_in_order(rounds):
    end = last_moment(rounds)
    clockwork = Clockwork(rounds)
    for now in minutes_until(end):
        before = len(clockwork.history)
        clockwork.tick(now)
        assert all(event.time == now for event in clockwork.history[before:])
    assert clockwork.history == everything(rounds)


@some
@given(crowds_of_rounds, st.data())
def test_a_clock_that_jumps_does_the_same_things_in_the_same_order(rounds, data):
    end = last_moment(rounds)
    jumps = data.draw(st.lists(st.integers(0, (end - START) // MINUTE), max_size=6))
    ticks = [START + minute * MINUTE for minute in sorted(jumps)] + [end]
    assert history_of(rounds, ticks) == everything(rounds)


@some
@given(crowds_of_rounds, st.data())
def test_a_clock_that_jumps_back_and_forth_does_nothing_twice(rounds, data):
    end = last_moment(rounds)
    jumps = data.draw(st.lists(st.integers(0, (end - START) // MINUTE), max_size=8))
    history = history_of(rounds, [START + minute * MINUTE for minute in jumps] + [end, START, end])
    assert sorted(history) == everything(rounds)
    for round in rounds:
        assert [event for event in history if event.round == round.number] == list(timetable(round))


@some
@given(crowds_of_rounds, st.data())
def test_a_worker_that_dies_after_any_event_leaves_the_rest_to_the_next_tick(rounds, data):
    end = last_moment(rounds)
    clockwork = Clockwork(rounds)
    while len(clockwork.history) < len(everything(rounds)):
        clockwork.tick(end, at_most=data.draw(st.integers(1, 3)))
    assert clockwork.history == everything(rounds)


@given(rounds(), st.data())
def test_asking_again_gives_the_same_answer_and_asking_later_gives_more(round, data):
    done_events = data.draw(st.integers(0, len(timetable(round))))
    stage, done = Stage.SCHEDULED, frozenset()
    for event in timetable(round)[:done_events]:
        stage, done = advance(round, stage, done, event)
    first, second = sorted(data.draw(st.tuples(*[st.integers(-5, 14 * 24 * 60)] * 2)))
    sooner, later = (round.open_time + minutes * MINUTE for minutes in (first, second))
    assert due(round, stage, done, sooner) == due(round, stage, sorted(done), sooner)
    assert due(round, stage, done, sooner) == due(round, stage, done, later)[: len(due(round, stage, done, sooner))]
    assert not set(due(round, stage, done, later)) & set(timetable(round)[:done_events])


@given(rounds())
def test_ticking_twice_at_every_moment_does_nothing_the_second_time(round):
    clockwork = Clockwork([round])
    for event in timetable(round):
        clockwork.tick(event.time)
        known = list(clockwork.history)
        clockwork.tick(event.time)
        assert clockwork.history == known
    assert due_of_all(clockwork.states.values(), datetime.max.replace(tzinfo=UTC)) == ()


@given(rounds())
def test_the_next_thing_to_wait_for_is_known_whether_or_not_it_is_due(round):
    stage, done = Stage.SCHEDULED, frozenset()
    for event in timetable(round):
        assert pending(round, stage, done)[0] == event
        stage, done = advance(round, stage, done, event)
    assert pending(round, stage, done) == ()


# Many rounds


def test_a_month_of_daily_rounds_overlaps_and_ends_with_every_round_resolved():
    month = [a_round(number, START + number * DAY, window=HOUR) for number in range(1, 31)]
    clockwork, most_at_once = Clockwork(month), 0
    for hour in range(1, 60 * 24, 4):
        clockwork.tick(START + hour * HOUR)
        running = [stage for _, stage, _ in clockwork.states.values() if stage not in ("scheduled", "resolved")]
        most_at_once = max(most_at_once, len(running))
    assert len(clockwork.history) == 30 * 23
    assert {stage for _, stage, _ in clockwork.states.values()} == {Stage.RESOLVED}
    assert most_at_once == 21
    assert clockwork.history == everything(month) == history_of(month, [last_moment(month)])


def test_where_times_are_equal_the_older_round_goes_first_so_that_its_payout_is_at_risk_in_the_younger_one():
    older = a_round(4, n_days=2)
    younger = a_round(5, start=older.resolve_time - 2 * DAY)
    assert younger.close_time == older.resolve_time
    states = [(younger, Stage.OPEN, ()), (older, Stage.SCORING, (1, 2))]
    assert [event.key for event in due_of_all(states, younger.close_time)] == ["resolve:4", "close:5"]


def test_weekly_rounds_scored_over_four_weeks_pay_into_the_stake_four_rounds_later():
    week = 7 * DAY
    weekly = [a_round(n, START + n * week, n_days=20, lag=2 * DAY) for n in range(1, 9)]
    order = [event.key for event in everything(weekly)]
    for n in range(1, 5):
        assert order.index(f"close:{n + 3}") < order.index(f"resolve:{n}") < order.index(f"close:{n + 4}")


# What is refused


def refusal(**changes):
    with pytest.raises(InputError) as refused:
        a_round(**changes)
    return {(problem.code, problem.where) for problem in refused.value.problems}


@pytest.mark.parametrize(
    ("name", "index"), [("open_time", 0), ("close_time", 1), ("scoring_times", 2), ("resolve_time", 5)]
)
@pytest.mark.parametrize("late_by", [timedelta(0), MINUTE])
def test_any_two_neighbouring_times_that_are_not_in_order_are_refused(name, index, late_by):
    good = a_round(n_days=3)
    times = [good.open_time, good.close_time, *good.scoring_times, good.resolve_time]
    times[index] = (times[index - 1] if index else times[1]) + (late_by if index == 0 else -late_by)
    opened, close, *days, resolve = times
    found = refusal(open_time=opened, close_time=close, scoring_times=tuple(days), resolve_time=resolve)
    assert {code for code, _ in found} == {"bad_times"}
    assert any(where.startswith(("round 1, close_time" if index == 0 else f"round 1, {name}",)) for _, where in found)


def test_a_time_without_zone_or_in_another_zone_is_refused():
    paris = START.astimezone(timezone(2 * HOUR))
    assert refusal(open_time=START.replace(tzinfo=None)) == {("not_utc", "round 1, open_time")}
    assert refusal(open_time=paris) == {("not_utc", "round 1, open_time")}
    with pytest.raises(InputError, match="aware time in UTC"):
        due(a_round(), Stage.SCHEDULED, [], datetime(2020, 5, 2))


def test_everything_that_is_wrong_with_a_round_is_said_at_once():
    found = refusal(
        number=0,
        rule="",
        commitment="",
        universe="abc",
        features="F" * 64,
        n_bags=0,
        final_bags=-1,
        close_time=START,
    )
    names = ("number", "rule", "commitment", "universe", "features", "n_bags", "final_bags", "times")
    assert {code for code, _ in found} == {f"bad_{name}" for name in names}


def test_the_final_score_draws_no_fewer_bags_than_a_scoring_day():
    assert refusal(n_bags=20, final_bags=19) == {("bad_final_bags", "round 1, final_bags")}
    assert a_round(n_bags=20, final_bags=20).final_bags == 20


def test_hashes_may_be_unknown_until_the_data_is_published_but_the_commitment_may_not():
    assert a_round(universe="", features="").universe == ""
    assert a_round(universe="a1" * 32).universe == "a1" * 32
    assert refusal(commitment="") == {("bad_commitment", "round 1, commitment")}


@pytest.mark.parametrize("event", ["later", "earlier", "foreign"])
def test_an_event_that_is_not_the_next_one_is_refused(event):
    round = a_round(n_days=2)
    opened, close, first, *_ = timetable(round)
    wrong = {"later": first, "earlier": opened, "foreign": Due(close.time, 2, Action.CLOSE)}[event]
    with pytest.raises(InputError, match="expected close:1 next"):
        advance(round, Stage.OPEN, [], wrong)


def test_nothing_happens_in_a_resolved_round():
    round = a_round(n_days=1)
    with pytest.raises(InputError, match="expected nothing more, found resolve:1"):
        advance(round, Stage.RESOLVED, [1], timetable(round)[-1])


@pytest.mark.parametrize(
    ("stage", "done"), [("open", [1]), ("closed", [1]), ("scoring", [3]), ("scoring", [0]), ("resolved", [7])]
)
def test_scored_days_that_contradict_the_round_or_its_stage_are_refused(stage, done):
    with pytest.raises(InputError) as refused:
        due(a_round(n_days=2), Stage(stage), done, START)
    assert refused.value.code == "bad_progress"


def test_a_day_that_was_left_out_is_due_before_all_others():
    round = a_round(n_days=3)
    assert due(round, Stage.SCORING, [1, 3], round.resolve_time)[0].key == "score:1:2"

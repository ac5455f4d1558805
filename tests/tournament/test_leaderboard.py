"""Leaderboards against a slow witness in plain Python, and what must hold of them for every history."""

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha.payouts import account_score, one_year_reputation, reputation_rules, weighted_reputation
from crowdalpha.scoring import summarize
from crowdalpha.scoring.problems import InputError
from crowdalpha.tournament.history import History
from crowdalpha.tournament.leaderboard import METHODS, compare, indistinguishable, leaderboard
from crowdalpha.tournament.records import Score
from crowdalpha.tournament.resampling import Resampling
from crowdalpha.tournament.rounds import Round, daily

START = datetime(2020, 5, 2, 18, tzinfo=UTC)
DAY = timedelta(days=1)
WEIGHTED = "weighted-twenty-rounds"
few = Resampling(n_resamples=40, confidence=0.8, seed=3)
some = settings(max_examples=50)

steps = st.integers(-100, 100).map(lambda step: step / 1024)
"""Scores whose sums are exact in floating point, so that the witness sees the same ties."""


def a_history(columns, at_risk=None, first=1):
    """A history from a list of scores for each model, None where it has none."""
    n = len(next(iter(columns.values()), ()))
    scores = np.array([[np.nan if s is None else s for s in column] for column in columns.values()], float)
    scores = scores.reshape(len(columns), n).T
    risk = np.zeros(scores.shape, np.int64) if at_risk is None else np.array(at_risk, np.int64).T
    rounds = tuple(range(first, first + n))
    return History(rounds, tuple(START + number * DAY for number in rounds), tuple(columns), scores, risk)


@st.composite
def worlds(draw, max_rounds=7, max_models=5):
    """Names and scores, some missing."""
    n, m = draw(st.integers(1, max_rounds)), draw(st.integers(1, max_models))
    column = st.lists(steps | st.none(), min_size=n, max_size=n)
    names = draw(st.permutations("abcdefgh"))[:m]
    return {name: draw(column) for name in names}


@st.composite
def rough_worlds(draw, n_rounds=24):
    """Twenty rounds and more, scores with all their digits, a complete example model called zed."""
    chance = random.Random(draw(st.integers(0, 10**6)))
    missing = draw(st.sampled_from([0.0, 0.2, 0.9]))
    world = {
        name: [None if chance.random() < missing else chance.gauss(0.01, 0.03) for _ in range(n_rounds)]
        for name in "abcd"[: draw(st.integers(1, 4))]
    }
    return world | {"zed": [chance.gauss(0, 0.01) for _ in range(n_rounds)]}


histories = worlds().map(a_history)
rough_histories = rough_worlds().map(a_history)
every_method = st.sampled_from(
    [{"method": "mean"}, {"method": "one-year-mean"}, {"method": WEIGHTED, "day": 3, "example": "zed"}]
)


def by_name(standings):
    return {line.name: line for line in standings}


def same_bits(one, other):
    """Equal, and NaN where the other is NaN."""
    return repr(one) == repr(other)


# The slow witness


def witness_value(method, column, indices, day=None):
    """What a model is ranked by over the rounds drawn, oldest first, as a fraction; None without any score."""
    if method == "mean":
        found = [Fraction(column[i]) for i in indices if column[i] is not None]
        return sum(found) / len(found) if found else None
    if method == "one-year-mean":
        return sum(Fraction(column[i] or 0) for i in indices) / len(indices)
    n = len(column)
    weights = [witness_weight(n - 1 - i, day) for i in range(n)]
    total = sum(weights[i] for i in indices)
    return sum(weights[i] * Fraction(column[i]) for i in indices) / total if total else None


def witness_weight(delta, day):
    if delta < 4:
        return Fraction(5 * delta + day, 20)
    return Fraction(1) if delta < 16 else Fraction(5 * (20 - delta) - day, 20)


def witness_fill(column, example):
    """Misses by the rule of 2020: the oldest is the example's score, the others -0.1."""
    filled, missed = [], 0
    for score, of_example in zip(column, example, strict=True):
        missed += score is None
        filled.append(score if score is not None else of_example if missed == 1 else -0.1)
    return filled


def witness_draws(n, options):
    """The rounds of every resample: runs of consecutive rounds on a circle, cut to as many as there are."""
    block = min(options.block or max(1, round(n ** (1 / 3))), n)
    n_blocks = math.ceil(n / block)
    words = iter(np.random.Philox(options.seed).random_raw(options.n_resamples * n_blocks).tolist())
    for _ in range(options.n_resamples):
        begins = [next(words) % n for _ in range(n_blocks)]
        yield [(begin + k) % n for begin in begins for k in range(block)][:n]


def witness_ranks(values):
    """1 + how many are better, by comparing each with each; who has none is behind all who have one."""
    numbers = [value for value in values if value is not None]
    return [len(numbers) + 1 if v is None else 1 + sum(other > v for other in numbers) for v in values]


def witness_quantile(values, share):
    values = sorted(values)
    position = share * (len(values) - 1)
    below = math.floor(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (position - below)


def witness_board(columns, method, options, day=None):
    """Name -> (rank, value, low, high, best rank, worst rank), for the models with a score."""
    n = len(next(iter(columns.values())))
    values = [witness_value(method, column, range(n), day) for column in columns.values()]
    draws = [
        [witness_value(method, c, indices, day) for c in columns.values()] for indices in witness_draws(n, options)
    ]
    drawn_ranks = [witness_ranks(draw) for draw in draws]
    tail = (1 - options.confidence) / 2
    board = {}
    for j, (name, rank) in enumerate(zip(columns, witness_ranks(values), strict=True)):
        mine = [float(draw[j]) for draw in draws if draw[j] is not None]
        ranks = sorted(drawn[j] for drawn in drawn_ranks)
        best = min(rank, ranks[math.floor(tail * (len(ranks) - 1))])
        worst = max(rank, ranks[math.ceil((1 - tail) * (len(ranks) - 1))])
        ends = [witness_quantile(mine, share) for share in (tail, 1 - tail)]
        board[name] = (rank, float(values[j]), *ends, best, worst)
    return board


def assert_agrees(board, expected, n_scored):
    for line in board:
        if line.name not in expected:
            assert line.rank is None
            continue
        rank, value, low, high, best, worst = expected[line.name]
        assert line.rank == rank
        assert line.value == pytest.approx(value, abs=1e-15)
        if n_scored[line.name] > 1:
            assert (line.best_rank, line.worst_rank) == (best, worst)
            assert (line.low, line.high) == pytest.approx((low, high), abs=1e-14)
        else:
            assert (line.best_rank, line.worst_rank) == (None, None)
            assert math.isnan(line.low)
            assert math.isnan(line.high)


def scored_of(columns):
    return {name: sum(score is not None for score in column) for name, column in columns.items()}


@some
@given(
    worlds(),
    st.sampled_from(["mean", "one-year-mean"]),
    st.sampled_from([None, 1, 3, 50]),
    st.sampled_from([0.8, 0.05]),
)
def test_the_leaderboard_is_the_witness_s(world, method, block, confidence):
    options = replace(few, block=block, confidence=confidence)
    n_scored = scored_of(world)
    ranked = {name: column for name, column in world.items() if n_scored[name]}
    board = leaderboard(a_history(world), method=method, resampling=options)
    assert_agrees(board, witness_board(ranked, method, options) if ranked else {}, n_scored)


@settings(max_examples=20)
@given(rough_worlds(), st.integers(0, 5))
def test_the_reputation_of_2020_is_the_witness_s(world, day):
    last = {name: column[-20:] for name, column in world.items()}
    n_scored = scored_of(last)
    filled = {name: witness_fill(column, last["zed"]) for name, column in last.items() if n_scored[name]}
    board = leaderboard(a_history(world), method=WEIGHTED, day=day, example="zed", resampling=few)
    assert_agrees(board, witness_board(filled, WEIGHTED, few, day), n_scored)


@some
@given(rough_worlds(), st.integers(0, 5))
def test_reputations_are_those_of_the_payout_rules(world, day):
    history = a_history(world)
    lines = by_name(leaderboard(history, method=WEIGHTED, day=day, example="zed", resampling=few))
    last = history.latest(20)
    rule = weighted_reputation(last.scores, day, example=last.scores[:, -1])
    mean = one_year_reputation(history.scores)
    means = by_name(leaderboard(history, method="one-year-mean", resampling=few))
    for j, name in enumerate(history.models):
        if lines[name].rank:
            assert lines[name].value == pytest.approx(rule[j], abs=1e-15)
        if means[name].rank:
            assert means[name].value == pytest.approx(mean[j], abs=1e-15)


def test_the_methods_are_the_plain_mean_and_the_dated_rules():
    assert set(METHODS) == {"mean"} | {rule.name for rule in reputation_rules()}


@some
@given(histories)
def test_the_interval_of_the_mean_is_that_of_a_summary_where_no_round_is_missed(history):
    complete = History(history.rounds, history.resolved, history.models, np.nan_to_num(history.scores), history.at_risk)
    summary = summarize(complete.scores, n_resamples=40, confidence=0.8, seed=3)
    lines = by_name(leaderboard(complete, resampling=few))
    for j, name in enumerate(complete.models):
        ends = (summary.mean_low[j], summary.mean_high[j])
        assert (lines[name].low, lines[name].high) == pytest.approx(ends, abs=1e-14, nan_ok=True)


# Who is above whom


@some
@given(rough_worlds(), every_method)
def test_a_failed_or_missing_submission_is_never_above_a_scored_one(world, how):
    never = {"absent": [None] * 24, "aaa": [None] * 24}
    terrible = {"terrible": [-0.9] * 24}
    board = leaderboard(a_history(never | world | terrible), **how, resampling=few)
    ranked = [line for line in board if line.rank is not None]
    assert list(board[: len(ranked)]) == ranked
    assert {line.name for line in ranked} >= {"terrible", "zed"}
    assert not {"absent", "aaa"} & {line.name for line in ranked}
    below = board[len(ranked) :]
    assert [line.name for line in below] == sorted(line.name for line in below)
    assert all(math.isnan(line.value) and line.scored == 0 for line in below)
    assert max(line.worst_rank or 0 for line in ranked) <= len(ranked)


@given(st.lists(steps | st.none(), min_size=1, max_size=8))
def test_in_a_single_round_every_scored_model_is_above_every_missing_one(scores):
    board = leaderboard(a_history({f"m{i}": [score] for i, score in enumerate(scores)}), resampling=few)
    found = [scores[int(line.name[1:])] for line in board]
    present = [score for score in found if score is not None]
    assert present == sorted(present, reverse=True)
    assert found == present + [None] * (len(found) - len(present))


@some
@given(histories)
def test_the_board_is_sorted_by_value_and_a_rank_is_inside_its_interval(history):
    board = leaderboard(history, resampling=few)
    ranked = [line for line in board if line.rank]
    assert [line.value for line in ranked] == sorted((line.value for line in ranked), reverse=True)
    assert all(line.best_rank <= line.rank <= line.worst_rank for line in ranked if line.best_rank)
    assert all(line.scored + line.missed == len(history.rounds) for line in board)


def test_even_the_narrowest_interval_of_a_rank_holds_the_rank():
    chance = random.Random(5)
    crowd = {f"m{i}": [chance.gauss(0, 1) for _ in range(8)] for i in range(40)}
    board = leaderboard(a_history(crowd), resampling=Resampling(confidence=0.01))
    assert all(line.best_rank <= line.rank <= line.worst_rank for line in board)
    assert any(line.worst_rank > line.rank for line in board[:10])


def test_equals_share_the_better_rank_and_stand_in_order_of_their_names():
    board = leaderboard(a_history({"cat": [0.1], "ann": [0.1], "ben": [0.2], "dan": [0.0]}))
    assert [(line.name, line.rank) for line in board] == [("ben", 1), ("ann", 2), ("cat", 2), ("dan", 4)]


def test_who_wins_every_round_is_first_in_every_resample():
    chance = random.Random(1)
    crowd = {name: [chance.gauss(0, 0.01) for _ in range(30)] for name in "abcde"}
    best = [max(scores) + 0.001 for scores in zip(*crowd.values(), strict=True)]
    board = leaderboard(a_history(crowd | {"best": best}))
    assert (board[0].name, board[0].best_rank, board[0].worst_rank) == ("best", 1, 1)
    assert max(line.worst_rank - line.best_rank for line in board[1:]) >= 2


def test_what_moves_everybody_in_a_round_moves_no_rank():
    chance = random.Random(2)
    crowd = {name: [chance.gauss(0, 0.01) for _ in range(16)] for name in "abcd"}
    shocks = [chance.gauss(0, 1) for _ in range(16)]
    shocked = {name: [s + shock for s, shock in zip(scores, shocks, strict=True)] for name, scores in crowd.items()}
    calm, wild = by_name(leaderboard(a_history(crowd))), by_name(leaderboard(a_history(shocked)))
    for name in crowd:
        ranks = [(line.rank, line.best_rank, line.worst_rank) for line in (calm[name], wild[name])]
        assert ranks[0] == ranks[1]
        assert wild[name].high - wild[name].low > 10 * (calm[name].high - calm[name].low)


def test_one_score_is_ranked_but_says_nothing_about_luck():
    line = by_name(leaderboard(a_history({"a": [0.1, None, None], "b": [0.0, 0.1, 0.0]})))["a"]
    assert (line.rank, line.best_rank, line.worst_rank, line.scored, line.missed) == (1, None, None, 1, 2)
    assert math.isnan(line.low)


def test_over_one_year_a_miss_counts_zero_but_no_score_at_all_counts_nothing():
    columns = {"once": [0.03, None, None], "always": [0.02] * 3, "never": [None] * 3, "bad": [-0.1] * 3}
    board = leaderboard(a_history(columns), method="one-year-mean")
    assert [(line.name, line.rank) for line in board] == [("always", 1), ("once", 2), ("bad", 3), ("never", None)]
    assert board[1].value == pytest.approx(0.01, abs=1e-15)


# The same bits


@some
@given(rough_worlds(), every_method, st.randoms(use_true_random=False))
def test_the_order_of_the_models_changes_no_bit(world, how, chance):
    names = list(world)
    chance.shuffle(names)
    one = leaderboard(a_history(world), **how, resampling=few)
    other = leaderboard(a_history({name: world[name] for name in names}), **how, resampling=few)
    assert same_bits(one, other)


@some
@given(rough_worlds(), every_method)
def test_clones_have_the_same_line_to_the_bit(world, how):
    clones = {f"clone of {name}": column for name, column in world.items()}
    lines = by_name(leaderboard(a_history(world | clones), **how, resampling=few))
    for name in world:
        assert same_bits(replace(lines[f"clone of {name}"], name=name), lines[name])


@some
@given(rough_worlds(), every_method)
def test_company_does_not_change_a_value_or_its_interval(world, how):
    crowd = by_name(leaderboard(a_history(world), **how, resampling=few))
    for name in world:
        alone = by_name(leaderboard(a_history({n: world[n] for n in {name, "zed"}}), **how, resampling=few))
        for field in ("value", "low", "high"):
            assert same_bits(getattr(alone[name], field), getattr(crowd[name], field))


@given(rough_worlds())
def test_the_same_seed_gives_the_same_bits(world):
    assert same_bits(
        leaderboard(a_history(world), resampling=few), leaderboard(a_history(dict(world)), resampling=replace(few))
    )


def test_another_seed_gives_other_intervals_and_the_same_ranks():
    chance = random.Random(3)
    history = a_history({name: [chance.gauss(0, 0.01) for _ in range(30)] for name in "abc"})
    one, other = (leaderboard(history, resampling=Resampling(seed=seed)) for seed in (0, 1))
    places = [[(line.name, line.rank, line.value) for line in board] for board in (one, other)]
    assert places[0] == places[1]
    assert [line.low for line in one] != [line.low for line in other]


# Windows


def numbers(history):
    return list(history.rounds)


def test_a_window_is_rounds_by_number_both_ends_included():
    history = a_history({"a": [0.1] * 6}, first=4)
    assert numbers(history.between(5, 7)) == [5, 6, 7]
    assert numbers(history.between(1, 4)) == [4]
    assert numbers(history.between(8, 7)) == []


def test_the_latest_rounds_are_fewer_if_there_are_not_as_many():
    history = a_history({"a": [0.1] * 6}, first=4)
    assert numbers(history.latest(2)) == [8, 9]
    assert numbers(history.latest(0)) == []
    assert numbers(history.latest(99)) == numbers(history)


def test_a_year_ends_with_the_moment_and_starts_after_the_same_moment_a_year_ago():
    history = a_history({"a": [0.1] * 400})
    assert numbers(history.year_to(history.resolved[-1])) == list(range(36, 401))
    assert numbers(history.year_to(history.resolved[9] - timedelta(seconds=1))) == list(range(1, 10))
    assert numbers(history.resolved_within(2 * DAY, history.resolved[9])) == [9, 10]


@some
@given(rough_histories, st.integers(1, 24), st.integers(1, 24))
def test_a_window_of_a_window_is_their_intersection(history, first, last):
    twice = history.between(first, 24).between(1, last)
    once = history.between(first, last)
    assert twice.rounds == once.rounds
    assert same_bits(leaderboard(twice, resampling=few), leaderboard(once, resampling=few))


@some
@given(rough_worlds(), st.integers(0, 20), st.integers(1, 4))
def test_the_board_of_a_window_knows_nothing_of_the_rounds_outside(world, first, n):
    inside = a_history({name: column[first : first + n] for name, column in world.items()}, first=first + 1)
    window = a_history(world).between(first + 1, first + n)
    assert same_bits(leaderboard(window, resampling=few), leaderboard(inside, resampling=few))


def test_a_window_without_rounds_ranks_nobody():
    board = leaderboard(a_history({"b": [0.1], "a": [0.2]}).latest(0))
    assert [(line.name, line.rank, line.scored, line.missed) for line in board] == [
        ("a", None, 0, 0),
        ("b", None, 0, 0),
    ]


def test_a_tournament_without_models_has_an_empty_board():
    assert leaderboard(History((1,), (START,), (), np.empty((1, 0)), np.empty((1, 0), np.int64))) == ()


# Accounts


@st.composite
def staked_worlds(draw):
    """A history with stakes at risk wherever it pleases, none without a score, and an owner for each model."""
    world = draw(worlds(max_models=6))
    amounts = st.integers(0, 10**18)
    risk = [[0 if score is None else draw(amounts) for score in column] for column in world.values()]
    owners = {name: draw(st.sampled_from(["X", "Y", "Z"])) for name in world}
    return a_history(world, risk), owners


def test_an_account_is_the_mean_of_its_models_weighted_by_what_they_have_at_risk():
    history = a_history({"a": [0.02, 0.1], "b": [0.05, None], "c": [0.9, 0.2]}, [[30, 5], [10, 0], [0, 0]])
    accounts = history.by_account({"a": "ann", "b": "ann", "c": "cat"})
    assert accounts.models == ("ann", "cat")
    assert accounts.scores[0, 0] == pytest.approx(0.0275, abs=1e-15)
    assert accounts.scores[1, 0] == 0.1
    assert np.isnan(accounts.scores[:, 1]).all()
    assert accounts.at_risk.tolist() == [[40, 0], [5, 0]]


@some
@given(staked_worlds())
def test_accounts_are_scored_as_the_witness_and_the_payout_rules_score_them(staked):
    history, owners = staked
    accounts = history.by_account(owners)
    for i in range(len(history.rounds)):
        for name, found, total in zip(accounts.models, accounts.scores[i], accounts.at_risk[i], strict=True):
            mine = [j for j, model in enumerate(history.models) if owners[model] == name]
            scores, stakes = history.scores[i, mine].tolist(), history.at_risk[i, mine].tolist()
            assert total == sum(stakes)
            assert found == pytest.approx(account_score(scores, stakes), abs=1e-15, nan_ok=True)
            if total:
                exact = sum(Fraction(s) * k for s, k in zip(scores, stakes, strict=True) if k) / sum(stakes)
                assert found == pytest.approx(float(exact), abs=1e-15)


@some
@given(staked_worlds(), st.randoms(use_true_random=False))
def test_the_order_of_the_models_changes_no_bit_of_an_account(staked, chance):
    history, owners = staked
    order = list(range(len(history.models)))
    chance.shuffle(order)
    names = tuple(history.models[j] for j in order)
    shuffled = History(history.rounds, history.resolved, names, history.scores[:, order], history.at_risk[:, order])
    one, other = history.by_account(owners), shuffled.by_account(owners)
    assert one.models == other.models
    assert np.array_equal(one.scores, other.scores, equal_nan=True)
    assert same_bits(leaderboard(one, resampling=few), leaderboard(other, resampling=few))


@some
@given(staked_worlds())
def test_an_account_with_one_model_stands_where_its_model_stands(staked):
    history, _ = staked
    alone = history.by_account({name: f"owner of {name}" for name in history.models})
    for j, name in enumerate(history.models):
        column = alone.scores[:, alone.models.index(f"owner of {name}")]
        assert np.array_equal(column, np.where(history.at_risk[:, j] > 0, history.scores[:, j], np.nan), equal_nan=True)


@some
@given(staked_worlds(), st.lists(steps, min_size=7, max_size=7))
def test_a_model_without_stake_changes_no_bit_of_its_account(staked, scores):
    history, owners = staked
    n = len(history.rounds)
    wider = History(
        history.rounds,
        history.resolved,
        (*history.models, "idle"),
        np.column_stack([history.scores, scores[:n]]),
        np.column_stack([history.at_risk, np.zeros(n, np.int64)]),
    )
    for owner in ("X", "idler"):
        found = wider.by_account(owners | {"idle": owner})
        before = history.by_account(owners)
        for j, name in enumerate(before.models):
            column = found.scores[:, found.models.index(name)]
            assert np.array_equal(column, before.scores[:, j], equal_nan=True)


def test_every_model_needs_an_account():
    with pytest.raises(InputError) as refused:
        a_history({"a": [0.1], "b": [0.1], "c": [0.1]}).by_account({"b": "ann"})
    assert [problem.where for problem in refused.value.problems] == ["model a", "model c"]


# Differences


@some
@given(worlds(max_models=2).filter(lambda world: len(world) == 2), st.sampled_from([None, 2]))
def test_a_difference_is_the_witness_s(world, block):
    options = replace(few, block=block)
    (one, mine), (other, theirs) = world.items()
    paired = [Fraction(a) - Fraction(b) for a, b in zip(mine, theirs, strict=True) if None not in (a, b)]
    found = compare(a_history(world), one, other, resampling=options)
    assert (found.one, found.other, found.n_rounds) == (one, other, len(paired))
    if len(paired) < 2:
        assert math.isnan(found.low)
        assert not found.distinguishable
        return
    means = [float(sum(paired[i] for i in draw) / len(draw)) for draw in witness_draws(len(paired), options)]
    low, high = (witness_quantile(means, share) for share in (0.1, 0.9))
    assert found.mean == pytest.approx(float(sum(paired) / len(paired)), abs=1e-15)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-14)


@some
@given(worlds(max_models=2).filter(lambda world: len(world) == 2))
def test_two_models_are_told_apart_the_same_way_round_and_back(world):
    one, other = world
    there, back = (compare(a_history(world), *pair, resampling=few) for pair in ((one, other), (other, one)))
    for mine, theirs in ((there.mean, back.mean), (there.low, back.high), (there.high, back.low)):
        assert mine == pytest.approx(-theirs, abs=1e-15, nan_ok=True)


def test_two_models_whose_intervals_overlap_are_told_apart_in_paired_rounds():
    chance = random.Random(4)
    eras = [chance.gauss(0, 0.05) for _ in range(40)]
    history = a_history({"good": [era + 0.01 + chance.gauss(0, 0.003) for era in eras], "fair": eras})
    good, fair = leaderboard(history)
    assert good.low < fair.high
    assert compare(history, "good", "fair").distinguishable
    assert indistinguishable(history) == ()


def test_a_clone_cannot_be_told_from_its_model():
    history = a_history({"a": [0.1, 0.2, -0.1], "b": [0.1, 0.2, -0.1], "c": [0.5, 0.6, 0.3]})
    (pair,) = indistinguishable(history)
    assert (pair.one, pair.other, pair.mean, pair.low, pair.high) == ("a", "b", 0.0, 0.0, 0.0)


def test_models_that_never_met_cannot_be_told_apart_and_those_without_scores_are_left_out():
    history = a_history({"a": [0.1, 0.1, None, None], "b": [None, None, -0.9, -0.9], "never": [None] * 4})
    (pair,) = indistinguishable(history)
    assert (pair.one, pair.other, pair.n_rounds) == ("a", "b", 0)
    assert math.isnan(pair.mean)


def test_only_the_named_models_are_compared():
    history = a_history({name: [0.1, 0.2] for name in "abcd"})
    assert [(p.one, p.other) for p in indistinguishable(history, ["d", "a", "b"])] == [
        ("d", "a"),
        ("d", "b"),
        ("a", "b"),
    ]


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_who_beats_another_in_every_round_is_told_from_him(seed):
    chance = random.Random(seed)
    theirs = [chance.gauss(0, 0.1) for _ in range(10)]
    history = a_history({"one": [score + chance.uniform(0.001, 0.1) for score in theirs], "other": theirs})
    found = compare(history, "one", "other", resampling=few)
    assert found.distinguishable
    assert found.low > 0


# Records


class AtRisk(NamedTuple):
    round: int
    model: str
    amount: int


def a_round(number):
    start = START + number * DAY
    days = daily(start + DAY, 2)
    return Round(
        number=number,
        open_time=start,
        close_time=start + DAY,
        scoring_times=days,
        resolve_time=days[-1] + DAY,
        rule="r",
        commitment="0" * 64,
    )


def a_score(number, model, value):
    return Score(number, "r", 2, "corr", model, value, True)


def test_a_history_is_made_from_a_tournament_s_records():
    scores = [a_score(2, "b", 0.2), a_score(1, "a", 0.1), a_score(2, "a", math.nan)]
    history = History.of([a_round(2), a_round(1)], scores, [AtRisk(1, "a", 7), AtRisk(2, "a", 0)], ["c"])
    assert history.rounds == (1, 2)
    assert history.resolved == (a_round(1).resolve_time, a_round(2).resolve_time)
    assert history.models == ("a", "b", "c")
    assert np.array_equal(history.scores, [[0.1, np.nan, np.nan], [np.nan, 0.2, np.nan]], equal_nan=True)
    assert history.at_risk.tolist() == [[7, 0, 0], [0, 0, 0]]
    assert [(line.name, line.rank) for line in leaderboard(history)] == [("b", 1), ("a", 2), ("c", None)]


def refusals(make):
    with pytest.raises(InputError) as refused:
        make()
    return [(problem.code, problem.where) for problem in refused.value.problems]


def test_records_that_do_not_fit_are_all_named_at_once():
    scores = [a_score(1, "a", 0.1), a_score(1, "a", 0.2), a_score(3, "b", 0.1)]
    risks = [AtRisk(4, "a", 1), AtRisk(1, "a", 1), AtRisk(1, "a", 1)]
    assert refusals(lambda: History.of([a_round(1)], scores, risks)) == [
        ("twice_in_history", "round 1, model a"),
        ("unknown_round", "round 3, model b"),
        ("unknown_round", "round 4, model a"),
        ("twice_in_history", "round 1, model a"),
    ]


@pytest.mark.parametrize("amount", [-1, 2**62, 10**30])
def test_an_impossible_amount_at_risk_is_refused(amount):
    found = refusals(lambda: History.of([a_round(1)], [a_score(1, "a", 0.1)], [AtRisk(1, "a", amount)]))
    assert found == [("bad_at_risk", "round 1, model a")]


def test_a_stake_at_risk_without_a_score_is_refused():
    risks = [AtRisk(1, "a", 1), AtRisk(1, "b", 1)]
    found = refusals(lambda: History.of([a_round(1)], [a_score(1, "a", math.nan)], risks))
    assert found == [("score_missing", "round 1, model a"), ("score_missing", "round 1, model b")]


# What is refused


GOOD = a_history({"a": [0.1, 0.2], "b": [0.3, None]})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"scores": np.zeros((2, 3))}, "misaligned"),
        ({"at_risk": np.zeros((1, 2), np.int64)}, "misaligned"),
        ({"resolved": (START,)}, "misaligned"),
        ({"rounds": (2, 1)}, "bad_rounds"),
        ({"rounds": (1, 1)}, "bad_rounds"),
        ({"models": ("a", "a")}, "bad_models"),
        ({"scores": np.array([[0.1, np.inf], [0.2, 0.3]])}, "inf_in_scores"),
        ({"at_risk": np.array([[-1, 0], [0, 0]])}, "bad_at_risk"),
        ({"at_risk": np.array([[2**61, 2**61], [0, 0]])}, "bad_at_risk"),
        ({"at_risk": np.array([[0, 0], [0, 1]])}, "score_missing"),
    ],
)
def test_a_history_that_contradicts_itself_is_refused(change, code):
    fields = {name: getattr(GOOD, name) for name in ("rounds", "resolved", "models", "scores", "at_risk")}
    assert [found for found, _ in refusals(lambda: History(**fields | change))] == [code]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"method": "median"}, "bad_method"),
        ({"method": WEIGHTED}, "too_few_rounds"),
        ({"example": "nobody"}, "unknown_model"),
    ],
)
def test_a_board_that_cannot_be_made_is_refused(options, code):
    assert [found for found, _ in refusals(lambda: leaderboard(GOOD, **options))] == [code]


def test_the_2020_rule_needs_an_example_model_only_where_somebody_missed():
    complete = {"a": [0.1] * 20, "zed": [0.2] * 20}
    assert [line.name for line in leaderboard(a_history(complete), method=WEIGHTED, day=5)] == ["zed", "a"]
    missing = a_history(complete | {"b": [None] + [0.3] * 19})
    for example in (None, "b"):
        found = refusals(lambda example=example: leaderboard(missing, method=WEIGHTED, day=5, example=example))
        assert found == [("example_missing", "example")]


def test_an_unknown_model_cannot_be_compared():
    assert refusals(lambda: compare(GOOD, "a", "nobody")) == [("unknown_model", "model")]


NONSENSE = {
    "n_resamples": (0, 1.0, True, "10", None, 10**12, np.nan),
    "block": (0, 2.5, True, "2"),
    "confidence": (1.0, 0, 95, True, None, "0.9", np.nan),
    "seed": (-1, 0.5, True, None, b"seed"),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in NONSENSE.items() for value in values])
def test_resampling_options_out_of_range_are_refused(name, value):
    assert refusals(lambda: Resampling(**{name: value})) == [(f"bad_{name}", name)]

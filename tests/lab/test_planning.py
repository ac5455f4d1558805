"""Planning a stake: the Kelly share, and what may become of one's coins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdalpha.lab.chance import Floats, stream
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.planning import blocks, coins, growth, kelly, plan
from crowdalpha.lab.scorebooks import read_scorebook, returns
from crowdalpha.lab.seasons import play
from crowdalpha.payouts.designs import Design
from crowdalpha.scoring.problems import InputError
from crowdalpha.tournament.rulesets import rule_set

histories = st.lists(st.floats(-0.25, 0.25), min_size=2, max_size=20).map(np.array)


def path(history: Floats, share: float) -> list[float]:
    return [float(each[0]) for each in coins(history[None], share)]


@given(st.integers(1, 19), st.floats(0.01, 2), st.floats(0.01, 1))
def test_of_two_returns_the_kelly_share_is_that_of_the_formula(wins: int, gain: float, loss: float) -> None:
    odds = wins / 20
    history = np.array([gain] * wins + [-loss] * (20 - wins))
    expected = np.clip(odds / loss - (1 - odds) / gain, 0, min(10, 1 / loss))
    assert float(kelly(history, most=10)) == pytest.approx(expected, abs=1e-6)


def test_of_small_returns_the_kelly_share_is_about_their_mean_over_their_variance() -> None:
    history = 0.0002 + 0.02 * stream("small returns").standard_normal(100_000)
    assert float(kelly(history, most=5)) == pytest.approx(history.mean() / history.var(), rel=0.01)


@given(histories, st.floats(0, 1))
def test_no_share_grows_faster_than_the_kelly_share(history: Floats, share: float) -> None:
    assert growth(history, float(kelly(history))) >= growth(history, share) - 1e-12


@given(histories)
def test_a_model_that_is_not_paid_on_average_is_not_staked_on(history: Floats) -> None:
    assert (float(kelly(history)) == 0) == bool(history.mean() <= 0) or abs(history.mean()) < 1e-12


@given(st.lists(st.floats(-0.25, 0.25), min_size=1, max_size=30).map(np.array), st.floats(0.01, 1))
def test_coins_are_those_of_the_round_before_and_the_payout_of_four_rounds_before(
    history: Floats, share: float
) -> None:
    held = [1.0]
    for number in range(1, len(history) + 4):
        paid = share * held[number - 4] * history[number - 4] if number >= 4 else 0.0
        held.append(max(held[-1] + paid, 0.0))
    assert path(history, share) == pytest.approx(held)


def test_a_whole_stake_compounds_as_in_a_season_of_the_lab() -> None:
    world, policy = World(Shape(models=4, ids=60), "plan"), Design(choices=((0.5, 1.0),), clip=0.1).policy()
    season = play([each.era for each in world.rounds(12)], world.stakes, "mine", custom={"mine": policy}, bags=3)
    for j in range(4):
        paid, opening = season.paid[:, j] / season.at_risk[:, j], season.opening[j]
        np.testing.assert_allclose(path(paid, 1.0)[:12], season.at_risk[:, j] / opening, rtol=1e-8)
        assert path(paid, 1.0)[-1] == pytest.approx(season.closing[j] / opening, rel=1e-8)


def test_years_to_come_are_drawn_from_blocks_of_the_past() -> None:
    history = np.arange(27.0)
    drawn = blocks(history, 10, 50, "seed")
    assert drawn.shape == (50, 10)
    steps = np.diff(drawn, axis=1)[:, [0, 1, 3, 4, 6, 7]] % 27
    assert (steps == 1).all()


def test_the_interval_of_the_kelly_share_covers_the_truth_about_as_often_as_it_says() -> None:
    truth, covered = 0.53 / 0.1 - 0.47 / 0.1, 0
    for k in range(60):
        won = stream("coverage", k).random(150) < 0.53
        found = plan(np.where(won, 0.1, -0.1), shares=(0.5,), horizon=4, paths=200, seed=k)
        covered += found.kelly_low <= truth <= found.kelly_high
    assert covered >= 52


def test_more_stake_is_more_risk() -> None:
    found = plan(np.tile([0.2, -0.15, 0.1, -0.1, 0.0], 8), paths=400)
    falls = [each.drawdown for each in found.outlooks]
    assert falls == sorted(falls)
    assert [each.halved for each in found.outlooks] == sorted(each.halved for each in found.outlooks)
    assert found.kelly in [each.share for each in found.outlooks]
    assert found == plan(np.tile([0.2, -0.15, 0.1, -0.1, 0.0], 8), paths=400)


def test_the_lag_matters_little_where_payouts_are_small_and_much_where_they_are_wild() -> None:
    won = stream("late").permutation(200) < 106
    calm = plan(np.where(won, 0.1, -0.1), shares=(0.5,), horizon=100)
    assert calm.kelly == pytest.approx(0.6)
    assert 0.4 < calm.late < 0.8
    assert calm.outlooks[0].late == pytest.approx(calm.outlooks[0].growth, rel=0.3)
    wild = plan(np.tile([0.5] * 6 + [-0.5] * 4, 5), shares=(0.4,), horizon=52)
    assert wild.kelly == pytest.approx(0.4)
    assert wild.late < wild.kelly
    assert f"{wild.late:.0%} is best" in wild.says


def test_a_short_history_and_shares_that_nobody_can_stake_are_refused_at_once() -> None:
    with pytest.raises(InputError) as refused:
        plan(np.zeros(3), shares=(0.5, 1.5, 0.0))
    assert [problem.code for problem in refused.value.problems] == ["short_history", "bad_share"]


BOOK = "round,model,corr,mmc2,metamodel_corr\n1,ada,.1,.02,.1\n2,ada,-.4,.01,-.1\n3,ada,,,\n1,bob,.3,.1,.1\n"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "scores.csv").write_text(BOOK, encoding="utf-8")
    return tmp_path / "scores.csv"


def test_a_scorebook_is_paid_as_the_rule_says(book: Path) -> None:
    rules = rule_set("corr-or-twice-mmc")
    found = read_scorebook(book, rules, model="ada")
    assert found.rounds == ("1", "2")
    assert returns(found, rules).tolist() == [0.1, -0.25]
    assert returns(read_scorebook(book, rules, model="ada", choice=(0, 2)), rules).tolist() == [0.04, 0.02]
    mine = rule_set("mine", {"mine": Design(choices=((0.0, 1.0),), hard_era=3.0).policy()})
    assert returns(read_scorebook(book, mine, model="ada"), mine, factor=0.5) == pytest.approx([0.01, 0.015])


def test_a_policy_with_a_window_sees_the_rounds_before(book: Path) -> None:
    rules = rule_set("sharpe")
    found = returns(read_scorebook(book, rules, model="ada"), rules)
    assert found[0] > 0 > found[1]


@pytest.mark.parametrize(
    ("rule", "asked", "codes"),
    [
        ("heavier-mmc", {"model": "ada"}, ["missing_column", "missing_column"]),
        ("corr", {}, ["model_missing"]),
        ("corr", {"model": "cy"}, ["unknown_model"]),
        ("corr-or-twice-mmc", {"model": "ada", "choice": (3.0, 0.0)}, ["choice_not_open"]),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    book: Path, rule: str, asked: dict[str, object], codes: list[str]
) -> None:
    with pytest.raises(InputError) as refused:
        read_scorebook(book, rule_set(rule), **asked)  # type: ignore[arg-type]
    assert [problem.code for problem in refused.value.problems] == codes


def test_a_round_that_is_there_twice_and_a_table_without_rounds_are_refused(tmp_path: Path) -> None:
    for text, code in (("round,corr\n1,.1\n1,.2\n", "repeated_round"), ("corr\n.1\n", "missing_column")):
        (tmp_path / "scores.csv").write_text(text, encoding="utf-8")
        with pytest.raises(InputError) as refused:
            read_scorebook(tmp_path / "scores.csv", rule_set("corr"))
        assert refused.value.code == code

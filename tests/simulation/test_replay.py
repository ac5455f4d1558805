"""A history played through the engine: the same money as by the formulas, era by era."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from histories import BAGS, MASTER, N_ERAS, STAKES, engine, history

from crowdalpha.scoring import draw_bags, mmc2
from crowdalpha.simulation.replay import Replayed, replay
from crowdalpha.tournament import seeds


@pytest.fixture(scope="module")
def played() -> Replayed:
    return replay(engine(), history(), STAKES, rule="corr-or-twice-mmc", choice=(0.0, 2.0), final_bags=BAGS)


def test_every_era_is_a_round_and_all_models_take_part_but_the_absent_and_the_refused(played: Replayed) -> None:
    assert played.eras == tuple(str(n) for n in range(1, N_ERAS + 1))
    assert [round.on_time for round in played.rounds] == [4, 4, 4, 3, 3, 4, 4, 4, 4]
    assert list(played.refused) == [("5", "b")]
    assert "standard deviation" in played.refused["5", "b"]


def test_stakes_and_payouts_are_those_of_the_formulas(played: Replayed) -> None:
    """What a round pays is staked four rounds later; b has nothing at risk in the rounds it missed."""
    stake = dict(STAKES)
    waiting: list[dict[str, int]] = []
    at_risk = {(risk.round, risk.model): risk.amount for risk in played.at_risk}
    paid = {(payout.round, payout.model): payout.paid for payout in played.payouts}
    for number, era in enumerate(history(), 1):
        if len(waiting) >= 4:
            for name, amount in waiting[number - 5].items():
                stake[name] += amount
        present = [n for n in era.models if not np.isnan(era.predictions[:, era.models.index(n)]).any()]
        present = [n for n in present if (str(number), n) not in played.refused]
        units = [stake.get(name, 0) for name in present]
        seed = seeds.round_seed(number, seeds.round_secret(MASTER, number))
        columns = [era.models.index(name) for name in present]
        bags = draw_bags(units, n_bags=BAGS, seed=seed)
        scores = mmc2(era.predictions[:, columns], units, era.given("target"), bags=bags)
        waiting.append({})
        for name, score, amount in zip(present, scores.tolist(), units, strict=True):
            if amount:
                fraction = Fraction(min(max(2 * score, -0.25), 0.25))
                waiting[-1][name] = round(fraction * amount)
                assert at_risk[number, name] == amount
                assert paid[number, name] == waiting[-1][name]
    assert played.closing["d"] == 0


def test_the_money_of_a_replay_adds_up(played: Replayed) -> None:
    assert sum(p.paid for p in played.payouts) == sum(r.paid for r in played.rounds) - sum(
        r.burned for r in played.rounds
    )
    for name, opening in STAKES.items():
        assert played.closing[name] == opening + sum(p.paid for p in played.payouts if p.model == name)


def test_a_replay_is_the_same_to_the_unit_every_time_and_every_round_of_it_is_proven(played: Replayed) -> None:
    desk = engine()
    again = replay(desk, history(), STAKES, rule="corr-or-twice-mmc", choice=(0.0, 2.0), final_bags=BAGS)
    assert again == played
    assert [desk.verify(number) for number in range(1, N_ERAS + 1)] == [()] * N_ERAS

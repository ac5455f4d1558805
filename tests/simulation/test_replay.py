"""A history played through the engine: the same money as by the formulas, era by era."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from crowdalpha.engine import Engine
from crowdalpha.scoring import draw_bags, mmc2
from crowdalpha.simulation.replay import ANY_NUMBER, Replayed, judge, replay
from crowdalpha.storage.memory import MemoryFiles, MemoryStore
from crowdalpha.tables.crowd import Crowd
from crowdalpha.tables.frames import eras
from crowdalpha.tournament import seeds

COIN = 10**9
MASTER = b"r" * seeds.SECRET_BYTES
N_ERAS, N_IDS, BAGS = 9, 60, 7
STAKES = {"a": 100 * COIN, "b": 50 * COIN, "c": 25 * COIN}


def history() -> Crowd:
    """Three staked models and one without stake; b is away in era 4 and constant in era 5."""
    rng = np.random.default_rng(1)
    rows = N_ERAS * N_IDS
    era = np.repeat(np.arange(1, N_ERAS + 1), N_IDS)
    target = rng.integers(0, 5, rows) / 4
    columns = {name: 5 * rng.random(rows) + edge * target for name, edge in zip("abcd", (1, 0.5, -0.5, 0), strict=True)}
    columns["b"] = np.where(era == 4, np.nan, np.where(era == 5, 1.0, columns["b"]))
    ids = [f"i{k:03d}" for k in range(N_IDS)] * N_ERAS
    table = pa.table({"era": era, "id": ids, **{name: pa.array(c, from_pandas=True) for name, c in columns.items()}})
    return eras(table, pa.table({"era": era, "id": ids, "target": target}), bags=None)


def engine() -> Engine:
    return Engine(MemoryStore(), MemoryFiles(), judge=judge, master=MASTER, rules=ANY_NUMBER)


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

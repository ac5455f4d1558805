"""Many seasons: each depends on its number alone, so it does not matter who plays it, or who dies meanwhile."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clusters import Cluster

from crowdalpha.execution import Executor
from crowdalpha.execution.local import Serial, Threads
from crowdalpha.execution.processes import Processes
from crowdalpha.lab.agents import AGENTS
from crowdalpha.lab.contests import Contest, Trial, contest, contests
from crowdalpha.lab.crowds import Shape, World
from crowdalpha.lab.ensembles import FIGURES, QUANTILES, Plan, mean_of, simulate
from crowdalpha.lab.seasons import master_of, play
from crowdalpha.scoring.problems import InputError
from crowdalpha.settings import open_executor

PLAN = Plan("corr-or-twice-mmc", Shape(models=6, ids=40, edge=0.4), seasons=7, rounds=6, bags=3, seed="many")
TRIAL = Trial(Shape(models=5, ids=40, own_edge=(0.0, 0.0)), seasons=5, rounds=3, bags=3, seed="many")
ATTACKS = [AGENTS[name] for name in ("honest", "noise", "learner")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(2) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def executors(cluster: Cluster) -> Iterator[dict[str, Executor]]:
    with Processes(2) as processes, open_executor(cluster.address) as dask:
        yield {"threads": Threads(2), "processes": processes, "dask": dask}


@pytest.mark.parametrize("engine", ["threads", "processes", "dask"])
def test_seasons_and_contests_are_the_same_bits_on_every_engine(engine: str, executors: dict[str, Executor]) -> None:
    assert simulate(executors[engine], PLAN).seasons == simulate(Serial(), PLAN).seasons
    found, alone = (contests(ATTACKS, TRIAL, executor=executor) for executor in (executors[engine], None))
    assert [bits(each) for each in found] == [bits(each) for each in alone]
    assert [each.agent for each in found] == ATTACKS


def test_a_worker_that_dies_in_the_middle_changes_nothing(cluster: Cluster, executors: dict[str, Executor]) -> None:
    cluster.join()
    told: list[tuple[int, int]] = []

    def kills(done: int, all: int) -> None:
        told.append((done, all))
        cluster.nodes[0].kill()

    assert simulate(executors["dask"], PLAN, told=kills).seasons == simulate(Serial(), PLAN).seasons
    assert told == [(done, PLAN.seasons) for done in range(1, PLAN.seasons + 1)]


def test_a_season_depends_on_the_seed_and_its_number_alone() -> None:
    many = simulate(Serial(), PLAN).seasons
    assert simulate(Serial(), replace(PLAN, seasons=3)).seasons == many[:3]
    assert simulate(Serial(), replace(PLAN, seed="other")).seasons[0] not in many
    assert len(set(many)) == PLAN.seasons


def test_an_agent_does_the_same_whoever_else_is_tried() -> None:
    together = contests(ATTACKS, TRIAL)
    assert [bits(each) for each in together] == [bits(contest(agent, TRIAL)) for agent in ATTACKS]


def test_figures_are_what_they_are_called() -> None:
    world = World(PLAN.shape, f"{PLAN.seed}/2")
    eras = [drawn.era for drawn in world.rounds(PLAN.rounds)]
    chosen = dict.fromkeys(world.models, (0.0, 2.0))
    season = play(eras, world.stakes, PLAN.rule, choices=chosen, master=master_of(world.seed), bags=PLAN.bags)
    found = simulate(Serial(), replace(PLAN, choice=(0.0, 2.0)))
    values = {name: found.values(name)[2] for name in FIGURES}
    assert values["growth"] == pytest.approx(season.paid.sum() / season.opening.sum())
    assert values["earned"] - values["burned"] == pytest.approx(values["growth"])
    assert values["median"] == pytest.approx(np.median(season.closing / season.opening - 1))
    assert values["ahead"] == np.mean(season.closing > season.opening)
    assert values["corr"] == pytest.approx(season.crowd.mean())


def test_a_figure_is_told_with_its_mean_and_its_quantiles() -> None:
    found = simulate(Serial(), PLAN)
    for name in FIGURES:
        values, spread = found.values(name), found.spread(name)
        assert spread.mean == pytest.approx(values.mean())
        assert spread.quantiles == tuple(np.quantile(values, QUANTILES))
        assert list(spread.quantiles) == sorted(spread.quantiles)


def test_the_interval_of_a_mean_holds_it_99_times_in_100() -> None:
    drawn = np.random.default_rng(5).standard_normal((2000, 100))
    inside = [low <= 0 <= high for _, low, high in map(mean_of, drawn)]
    assert np.mean(inside) == pytest.approx(0.99, abs=0.01)
    assert np.isnan(mean_of(np.ones(1))[1:]).all()
    assert mean_of(np.ones(1))[0] == 1


def test_an_unknown_rule_is_refused_before_anything_is_played() -> None:
    with pytest.raises(InputError) as refused:
        simulate(Serial(), replace(PLAN, rule="no-such"), told=lambda done, all: pytest.fail("played"))
    assert refused.value.code == "unknown_rule"


def test_a_policy_of_ones_own_is_played_from_its_file_by_whoever_plays(
    tmp_path: Path, executors: dict[str, Executor]
) -> None:
    (tmp_path / "mine.py").write_text("def half(corr, mmc):\n    return corr / 2\n")
    (tmp_path / "mine.toml").write_text("[half]\ncorr = 0.5\nmmc = 0\n[twice]\ncorr = 2\nmmc = 0\n")
    found, same = (replace(PLAN, rule=f"{tmp_path}/mine.{kind}:half") for kind in ("py", "toml"))
    seasons = simulate(executors["processes"], found).seasons
    assert {each.outcome.rule for each in seasons} == {"half"}
    assert seasons == simulate(Serial(), same).seasons
    with pytest.raises(InputError, match=r"name one, as in .*mine\.toml:half"):
        simulate(Serial(), replace(PLAN, rule=f"{tmp_path}/mine.toml"))


def test_known_agents_travel_by_name_and_one_that_was_changed_does_not() -> None:
    noise = AGENTS["noise"]
    assert pickle.loads(pickle.dumps(noise)) is noise
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(replace(noise, stake=0.5))


def bits(found: Contest) -> object:
    """All that an agent's seasons say, to the bit."""
    rounds = [
        (scored.models, {name: values.tobytes() for name, values in scored.scores.items()}, dict(scored.crowd))
        for season in found.seasons
        for scored in season
    ]
    return found.agent.name, found.own, [dict(each) for each in found.at_risk], rounds


def test_a_choice_that_a_rule_does_not_offer_is_refused_instead_of_played_as_another() -> None:
    with pytest.raises(InputError, match="choice_not_open"):
        simulate(Serial(), replace(PLAN, rule="corr-or-twice-mmc", choice=(5.0, 5.0)))

"""Large rounds are scored from ranks in one file, to the same bits, and nothing depends on that file."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crowdalpha.engine import Engine
from crowdalpha.scoring.shards import SHARDED
from crowdalpha.storage.memory import MemoryFiles, MemoryStore
from crowdalpha.tournament import streaming
from crowdalpha.tournament.rounds import Round
from crowdalpha.tournament.submissions import Verdict

START = datetime(2026, 1, 3, tzinfo=UTC)
COIN = 10**9
IDS = [f"id{k:03d}" for k in range(40)]
CLOSE, RESOLVE = START + timedelta(days=1), START + timedelta(days=5)
SCORINGS = tuple(START + timedelta(days=day) for day in (2, 3, 4))


def judge(content, ids, rules):
    rng = np.random.default_rng(int(content))
    return Verdict((), rng.integers(0, 9, len(ids)).astype(float), len(ids), ())


def season(packs, metrics, ties="average", features=True):
    """A round with 30 models, some unstaked, some late, one a benchmark; scored on three days and settled."""
    engine = Engine(MemoryStore(), MemoryFiles(), judge=judge, master=b"m" * 32, packs=packs)
    rng = np.random.default_rng(0)
    given = {"size": rng.normal(size=len(IDS)).tolist(), "value": rng.integers(0, 5, len(IDS)).tolist()}
    round = Round(
        number=1,
        open_time=START,
        close_time=CLOSE,
        scoring_times=SCORINGS,
        resolve_time=RESOLVE,
        rule="corr-or-twice-mmc",
        commitment="0" * 64,
        metrics=metrics,
        ties=ties,
    )
    engine.schedule(round, IDS, START - timedelta(days=1), features=given if features else None)
    engine.open_account("all", "All", START)
    engine.deposit("a", 1000 * COIN, START, into="wallet:all")
    engine.deposit("t", 1000 * COIN, START, into="treasury")
    for k in range(30):
        engine.add_model(f"m{k}", "all", f"m{k}", START, benchmark=k == 7)
        if k % 3 and k != 7:
            engine.stake_increase(f"s{k}", f"m{k}", (k + 1) * COIN, START)
    engine.tick(START)
    for k in range(25):
        engine.submit(f"sub{k}", f"m{k}", str(k).encode(), START)
    engine.tick(CLOSE)
    for day in (1, 2, 3, None):
        engine.set_target(1, day, dict(zip(IDS, rng.random(len(IDS)).tolist(), strict=True)))
    engine.tick(SCORINGS[0])
    for k in range(23, 30):
        engine.submit(f"late{k}", f"m{k}", str(100 + k).encode(), SCORINGS[0] + timedelta(hours=1))
    engine.tick(SCORINGS[1])
    return engine


@pytest.fixture
def large(monkeypatch):
    """Every round is a large one, and threads take a few models at a time."""
    monkeypatch.setattr(streaming, "LARGE", 0)
    monkeypatch.setattr(streaming, "AT_ONCE", 4)


@pytest.mark.parametrize("ties", ["average", "first"])
@pytest.mark.parametrize("features", [True, False])
def test_a_round_scored_from_one_file_is_the_round_scored_from_its_submissions(tmp_path, large, ties, features):
    plain = season(None, SHARDED, ties, features)
    streamed = season(tmp_path / "packs", SHARDED, ties, features)
    for engine in (plain, streamed):
        engine.tick(RESOLVE)
    with plain.store.reading() as one, streamed.store.reading() as other:
        assert [e.hash for e in one.events()] == [e.hash for e in other.events()]
    assert streamed.verify(1) == ()


def test_the_file_follows_late_submissions_and_goes_with_the_round(tmp_path, large):
    engine = season(tmp_path, ("corr", "mmc2"))
    assert len(list(tmp_path.iterdir())) == 1
    before = {path.name for path in tmp_path.iterdir()}
    engine.tick(SCORINGS[2])
    assert {path.name for path in tmp_path.iterdir()} == before
    engine.tick(RESOLVE)
    assert not list(tmp_path.iterdir())


def test_the_file_may_be_lost_at_any_time(tmp_path, large):
    engine, plain = season(tmp_path, ("corr", "mmc2")), season(None, ("corr", "mmc2"))
    for path in tmp_path.iterdir():
        path.unlink()
    for each in (engine, plain):
        each.tick(RESOLVE)
    with plain.store.reading() as one, engine.store.reading() as other:
        assert [e.hash for e in one.events()] == [e.hash for e in other.events()]


@pytest.mark.parametrize("metrics", [("corr", "mmc1"), ("corr", "exposure_max")])
def test_a_metric_that_needs_the_whole_crowd_is_scored_from_the_submissions(tmp_path, large, metrics):
    engine = season(tmp_path, metrics)
    engine.tick(RESOLVE)
    assert not list(tmp_path.iterdir())
    assert engine.verify(1) == ()


def test_a_small_round_makes_no_file(tmp_path):
    season(tmp_path, ("corr", "mmc2")).tick(RESOLVE)
    assert not list(tmp_path.iterdir())
